"""The ways in which a server's connection ends, as exceptions out of whatever it was about."""


class Gone(Exception):
    """The peer has ended the connection, or ours ends here without another word."""


class Silent(Exception):
    """From here on all that comes is read, and nothing is answered."""


class Closing(Exception):
    """A close frame of that payload goes out, and that is the end."""

    def __init__(self, payload):
        super().__init__(payload)
        self.payload = payload
