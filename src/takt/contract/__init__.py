"""What station and worker owe each other, and the check of it (`takt check`)."""
