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
    if demo:
        findings.append(ok("settings.demo", "no database is configured (DATABASE_URL, DB_HOST): the demo world"))
    if everybody := Networks(settings.trusted_proxies).too_large:
        text = f"TRUSTED_PROXIES: {forgeable(everybody)}, and with it escape rate limits and read /metrics"
        findings.append(warning("settings.trusted-proxies", text, "name the addresses of the proxies alone"))
    return findings
