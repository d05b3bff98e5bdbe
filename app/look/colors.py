"""The two colour schemes and their one accent, as #rrggbb."""

from dataclasses import dataclass, replace

__all__ = ["DARK", "LIGHT", "Colors", "high_contrast"]


@dataclass(frozen=True)
class Colors:
    """One scheme, as #rrggbb."""

    is_dark: bool
    window: str
    sidebar: str
    surface: str
    """Composer, cards and menus."""
    bubble: str
    """Behind what the person said."""
    code: str
    text: str
    secondary: str
    dimmed: str
    """Symbols that cannot be pressed now."""
    hairline: str
    """Between things, and around what is only shown."""
    outline: str
    """Around what can be pressed or written into: three times as light or dark as what is beside it."""
    hover: str
    accent: str
    accent_pressed: str
    on_accent: str
    accent_soft: str
    danger: str
    danger_soft: str
    caution: str
    caution_soft: str
    found: str
    """Behind what was searched for."""
    found_now: str
    """Behind the hit that is looked at."""
    on_found: str
    busy: str
    """The dot while the engine works; it stands beside words that say the same."""


LIGHT = Colors(
    is_dark=False,
    window="#fbfbf9",
    sidebar="#f3f4f1",
    surface="#ffffff",
    bubble="#eceeea",
    code="#f2f3f0",
    text="#1c201e",
    secondary="#626a66",
    dimmed="#b9beba",
    hairline="#dfe2dd",
    outline="#868e89",
    hover="#eef0ec",
    accent="#0d7a63",
    accent_pressed="#0a6351",
    on_accent="#ffffff",
    accent_soft="#e0f1ec",
    danger="#b3261e",
    danger_soft="#fbeceb",
    caution="#7a5500",
    caution_soft="#fbf3df",
    found="#ffe9a6",
    found_now="#ffb938",
    on_found="#1c201e",
    busy="#e0a526",
)

DARK = Colors(
    is_dark=True,
    window="#1a1c1b",
    sidebar="#141615",
    surface="#242726",
    bubble="#2f3331",
    code="#222524",
    text="#ebeeec",
    secondary="#a0a8a4",
    dimmed="#545b57",
    hairline="#383d3a",
    outline="#727a76",
    hover="#303432",
    accent="#45c4a6",
    accent_pressed="#38a78d",
    on_accent="#06241d",
    accent_soft="#1c3a33",
    danger="#ff8f86",
    danger_soft="#3b2422",
    caution="#f0c765",
    caution_soft="#383020",
    found="#6b5414",
    found_now="#ffc44d",
    on_found="#1c201e",
    busy="#f0c765",
)


def high_contrast(colors: Colors) -> Colors:
    """The scheme for people who asked the system for more contrast."""
    strong = "#ffffff" if colors.is_dark else "#000000"
    faint = "#d5dad7" if colors.is_dark else "#3a403d"
    return replace(colors, text=strong, secondary=faint, dimmed=colors.outline, hairline=faint, outline=faint)
