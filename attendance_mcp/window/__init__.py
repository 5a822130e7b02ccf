"""The server's own page in the person's browser, on loopback, where a person reads a plan and applies or discards it.

The address goes to the browser through a private file (browser.py), serves once and becomes a cookie (site.py); what a
page knows is in pages.py, what it looks like in document.py; window.py opens and ends it all.
"""
