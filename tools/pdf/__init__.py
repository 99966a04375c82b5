"""The whole course as one PDF, printed by Chromium from the built pages: ``python -m tools.pdf``.

`site` reads what the built book holds, `pages` makes sections of one document of it, `apart` takes hints,
solutions and answers to the end, `stills` draws widgets, `front` writes title and contents, `make` puts all
together. `printing` prints and counts pages, with `patience`, and a word on `letters` that no font has;
`document` reads the PDF with `values`, `finish` packs it.
"""
