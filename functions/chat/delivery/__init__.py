"""Who hears what: frames posted to the members of a room, and what follows from members that are gone."""
