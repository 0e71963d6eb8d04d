"""Plans, reports and states as text, Markdown, JSON and HTML: strings out."""
