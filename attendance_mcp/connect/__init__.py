"""A server on stdio that passes everything on to a school's server over HTTP, as the person who is signed in here."""
