"""Pictures, diagram, demonstration and presentation, made from the running product; the Markdown lies beside."""
