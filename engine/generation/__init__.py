"""From a prompt to token ids: prefill, sampling, decode, stopping."""
