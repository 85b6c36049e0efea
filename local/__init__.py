"""The whole chat on one machine: an emulator of AWS, and a deployer that puts the real program into it."""
