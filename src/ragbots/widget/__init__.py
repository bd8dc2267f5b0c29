"""The browser's side: the page, and the script that puts the same component on any other page."""
