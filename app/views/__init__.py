"""The pages: each `<name>_page.py` is a few lines that call `render()` of `<name>.py`."""
