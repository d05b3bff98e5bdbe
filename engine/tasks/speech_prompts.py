"""What a model is asked when it shall write down or translate what is said: the vendor's prompts."""

__all__ = ["split_translation", "transcription_prompt", "translation_prompt"]

_RULES = (
    "\n\nFollow these specific instructions for formatting the answer:\n"
    "* Only output the transcription, with no newlines.\n"
    "* When transcribing numbers, write the digits, i.e. write 1.7 and not one point seven, and write 3 instead of "
    "three."
)


def transcription_prompt(language: str | None) -> str:
    """The vendor's wording (section 7.7); without a language, ours."""
    what = f"in {language} into {language} text" if language else "in its original language"
    return f"Transcribe the following speech segment {what}.{_RULES}"


def translation_prompt(source: str | None, target: str) -> str:
    """The vendor's wording (section 7.7)."""
    source = source or "its original language"
    return (
        f"Transcribe the following speech segment in {source}, then translate it into {target}.\n"
        f"When formatting the answer, first output the transcription in {source}, then one newline, then output the "
        f"string '{target}: ', then the translation in {target}."
    )


def split_translation(answer: str, target: str) -> tuple[str, str]:
    """What was said and its translation, from an answer to that prompt; no translation where the answer has none."""
    said, found, translated = f"\n{answer}".rpartition(f"\n{target}:")
    return (said, translated) if found else (answer, "")
