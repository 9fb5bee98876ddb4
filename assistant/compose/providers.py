"""The chat model that the settings name, made by its provider's client with time limits and keys of ours."""

from __future__ import annotations

import re
from typing import Any

from assistant.compose.chat import Chat, ModelCounts
from assistant.config import Settings
from assistant.errors import ConfigError, ExtraError

EXTRAS = ("openai", "anthropic", "ollama", "huggingface", "google", "mistral")
"""Providers that the package has an extra for."""
MOST_TOKENS = 1200
_EXTRA_OF = {"google_genai": "google", "mistralai": "mistral", "azure_openai": "openai"}


def open_chat(settings: Settings, counts: ModelCounts) -> Chat:
    """Return the chat model that the settings name; nothing is sent to it.

    Raises:
        ExtraError: Its provider's package is not installed.
        ConfigError: The name or what goes with it can't be used.
    """
    from langchain.chat_models import init_chat_model

    provider = settings.model.partition(":")[0].lower() if ":" in settings.model else ""
    failed = ""
    missing = ""
    model: Any = None
    try:
        model = init_chat_model(settings.model, **_options(provider, settings))
    except ImportError as exc:
        missing = getattr(exc, "name", None) or ""
        found = re.search(r"pip install (?:-U )?([A-Za-z0-9._\[\]-]+)", str(exc))
        missing = found[1] if found else f"langchain-{provider.replace('_', '-')}"
    except Exception as exc:  # clients check their arguments in ways of their own, and may quote a key
        failed = type(exc).__name__
    if missing:
        extra = _EXTRA_OF.get(provider, provider)
        install = f"study-assistant[{extra}]" if extra in EXTRAS else missing
        raise ExtraError(f'ASSISTANT_MODEL={settings.model!r} needs {missing}; run: pip install "{install}"')
    if model is None:
        raise ConfigError(
            f"ASSISTANT_MODEL={settings.model!r} cannot be set up ({failed}); expected provider:model, such as "
            "ollama:llama3.1 or openai:gpt-4.1-mini, and the provider's key as ASSISTANT_MODEL_API_KEY"
        )
    return Chat(model, settings.model, timeout=settings.model_timeout, budget=settings.model_budget, counts=counts)


def _options(provider: str, settings: Settings) -> dict[str, Any]:
    """Return what the provider's client is made with; retries are ours, so that they stay within the budget."""
    if provider == "huggingface":
        pipeline = {"max_new_tokens": MOST_TOKENS, "return_full_text": False, "do_sample": False}
        return {"task": "text-generation", "pipeline_kwargs": pipeline}
    options: dict[str, Any] = {"temperature": 0}
    if settings.model_url:
        options["base_url"] = settings.model_url
    if provider == "ollama":
        client: dict[str, Any] = {"timeout": settings.model_timeout}
        if settings.model_api_key:
            client["headers"] = {"Authorization": f"Bearer {settings.model_api_key}"}
        return options | {"num_predict": MOST_TOKENS, "client_kwargs": client}
    options |= {"max_tokens": MOST_TOKENS, "timeout": settings.model_timeout, "max_retries": 0}
    if settings.model_api_key:
        options["api_key"] = settings.model_api_key
    elif settings.model_url:
        options["api_key"] = "none"  # so that a key meant for the provider never goes to another server
    return options
