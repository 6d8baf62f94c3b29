"""A sports club's SOAP services behind wsguard: what to read to guard a spyne application of your own.

``application.py`` is where the guard goes, ``wsguard.toml`` is what it demands. ``services.py`` is ordinary spyne, and
``data.py`` has nothing to do with SOAP. ``certificates.py`` makes the authority under which clients sign, and the
club's keystore. ``client.py`` calls it with zeep; ``connector.py`` signs, encrypts, verifies and decrypts as Pega does.
``python -m sample_service`` serves it, ``python -m sample_service.demo`` sends it good and bad messages.
"""
