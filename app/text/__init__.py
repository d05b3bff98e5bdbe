"""Text as it is shown: Markdown in blocks, formulas, links, receipts. No widgets."""
