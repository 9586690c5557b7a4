"""The settings in force."""

from api.startup import forgeable
from checks.findings import Finding, ok, warning
from config.settings import Settings, all_settings
from config.types import Networks, Secret


def run(settings: Settings, *, demo: bool) -> list[Finding]:
    """Return the settings that differ from their defaults. Passwords and keys are not shown."""
    changed = [
        f"{field.name.upper()}={'********' if field.type is Secret else getattr(settings, field.name)}"
        for field in all_settings()
        # The operator did not set the database of the demo world.
        if getattr(settings, field.name) != field.default and not (demo and field.name == "database_url")
    ]
    findings = [ok("settings.in-force", f"set: {', '.join(changed)}" if changed else "all at their defaults")]
    findings += [ok("settings.note", note) for note in settings.notes]
    findings += unused(settings)
    if demo:
        findings.append(ok("settings.demo", "nothing names a game server: the demo world"))
    if everybody := Networks(settings.trusted_proxies).too_large:
        text = f"TRUSTED_PROXIES: {forgeable(everybody)}, and with it escape rate limits and read /metrics"
        findings.append(warning("settings.trusted-proxies", text, "name the addresses of the proxies alone"))
    if settings.domain.lower().startswith("api.") and settings.domain.count(".") > 1:
        text = f"requests to the game server would be sent to api.{settings.domain}"
        advice = f"DOMAIN is the game server's own, without api.: {settings.domain[4:]}"
        findings.append(warning("settings.domain", text, advice))
    return findings


def unused(settings: Settings) -> list[Finding]:
    """Return a warning for each name and line that looks like a setting and is not used."""
    advice = "correct it, or remove it if it is not meant for apidot"
    return [warning("settings.unused", text, advice) for text in settings.unused]
