"""The Celery side: `celery -A workers …` finds its app here."""

from workers.app import app

__all__ = ["app"]
