"""Celery settings."""
