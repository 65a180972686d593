"""Documents from outside are opened and read in a process of their own, which may die without harm."""

from inference.isolation.sandbox import Opened, Sandbox

__all__ = ["Opened", "Sandbox"]
