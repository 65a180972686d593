"""All settings, in one typed object: from `vouch.toml` and `VOUCH_*` variables; secrets never from the file."""

from __future__ import annotations

from connector.settings.backend import BackendSettings, ScheduleSettings
from connector.settings.keeping import RetentionSettings, TrainingSettings
from connector.settings.load import NO_BACKEND, chosen_backend, load_settings
from connector.settings.policy import InsightSettings, LearningSettings, PolicySettings
from connector.settings.reading import ReadingSettings, VlmSettings
from connector.settings.section import Section
from connector.settings.web import WebSettings
from connector.settings.whole import Settings

__all__ = [
    "NO_BACKEND",
    "BackendSettings",
    "InsightSettings",
    "LearningSettings",
    "PolicySettings",
    "ReadingSettings",
    "RetentionSettings",
    "ScheduleSettings",
    "Section",
    "Settings",
    "TrainingSettings",
    "VlmSettings",
    "WebSettings",
    "chosen_backend",
    "load_settings",
]
