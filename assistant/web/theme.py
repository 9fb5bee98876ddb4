"""The page's colours and type, for Gradio's own components; page.css holds the same values for ours."""

from __future__ import annotations

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Ubuntu", "Cantarell", "sans-serif")
"""Fonts that are on the reader's machine already; none is fetched."""
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

# name: (light, dark)
_COLOURS = {
    "body_background_fill": ("#faf8f3", "#14181b"),
    "body_text_color": ("#22282b", "#e6e4de"),
    "body_text_color_subdued": ("#596166", "#a9aeb0"),
    "background_fill_primary": ("#ffffff", "#1c2226"),
    "background_fill_secondary": ("#f3efe6", "#1c2226"),
    "block_background_fill": ("transparent", "transparent"),
    "block_label_text_color": ("#596166", "#a9aeb0"),
    "block_title_text_color": ("#596166", "#a9aeb0"),
    "border_color_primary": ("#d9d3c6", "#394247"),
    "border_color_accent": ("#0d5c63", "#7fcfd2"),
    "color_accent_soft": ("#e1efee", "#1f3a3d"),
    "input_background_fill": ("#ffffff", "#1c2226"),
    "input_background_fill_focus": ("#ffffff", "#1c2226"),
    "input_border_color": ("#8a8f8d", "#6d777b"),
    "input_border_color_focus": ("#0d5c63", "#7fcfd2"),
    "input_placeholder_color": ("#646b6f", "#a0a6a8"),
    "button_primary_background_fill": ("#0d5c63", "#7fcfd2"),
    "button_primary_background_fill_hover": ("#0a484e", "#a3dfe1"),
    "button_primary_text_color": ("#ffffff", "#0c2224"),
    "button_primary_text_color_hover": ("#ffffff", "#0c2224"),
    "button_secondary_background_fill": ("#ffffff", "#1c2226"),
    "button_secondary_background_fill_hover": ("#f3efe6", "#262e33"),
    "button_secondary_text_color": ("#22282b", "#e6e4de"),
    "link_text_color": ("#0d5c63", "#7fcfd2"),
    "link_text_color_hover": ("#0a484e", "#a3dfe1"),
    "link_text_color_visited": ("#0d5c63", "#7fcfd2"),
}


def colours() -> dict[str, str]:
    """Return what Gradio's theme is set to, by the names of its variables."""
    both = {name: light for name, (light, _) in _COLOURS.items()}
    both |= {f"{name}_dark": dark for name, (_, dark) in _COLOURS.items()}
    return both | {"block_border_width": "0px", "block_shadow": "none", "button_primary_shadow": "none"}
