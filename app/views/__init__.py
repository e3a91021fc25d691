"""The pages: in each folder `page.py` is a few lines that call `render()` of `view.py`; `widgets/` are shared."""
