"""Documents from outside are opened and read in a process of their own, which may die without harm."""

from inference.isolation.sandbox import Opened, PageView, Sandbox, View

__all__ = ["Opened", "PageView", "Sandbox", "View"]
