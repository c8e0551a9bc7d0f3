"""People in a browser: ``signing_on`` lets one in, ``sessions`` remembers who is signed on."""
