"""The stations that come with Takt. Each is a package or module of its own, imported when it is opened."""
