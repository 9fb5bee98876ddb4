"""The assistant on the web: the HTTP API, the chat page, the widget, and what guards them."""
