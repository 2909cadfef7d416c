"""What the book has beside `docs`: the pages in the project's root and the examples' READMEs.

Pages link to files of the project by their paths, as readers of the repository need it. In the book, a link to one of
those pages leads to its copy; a link to any other file of the project becomes that file's name.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?!https?:)([^)\s#]+)(#[^)\s]*)?\)")


def copies():
    """The path in the book of each page that does not lie in `docs`, by its path in the project."""
    names = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
    pages = {name: f"project/{name}" for name in names}
    for readme in sorted(ROOT.glob("examples/*/README.md")):
        folder = readme.parent.name
        pages[f"examples/{folder}"] = pages[f"examples/{folder}/README.md"] = f"examples/{folder}.md"
    return pages


def on_files(files, config):
    for source, page in copies().items():
        path = ROOT / source
        if path.is_file():
            files.append(File.generated(config, page, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown, page, config, files):
    pages = copies()
    sources = {copy: source for source, copy in pages.items() if source.endswith(".md")}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def moved(match):
        text, link, anchor = match.group(1), match.group(2), match.group(3) or ""
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if not (ROOT / target).exists():
            return match.group(0)
        if target.startswith("docs/"):
            place = target.removeprefix("docs/")
        elif target in pages:
            place = pages[target]
        else:
            return text if "`" in text else f"`{text}`"
        here = posixpath.dirname(page.file.src_uri)
        return f"[{text}]({posixpath.relpath(place, here or '.')}{anchor})"

    # Code is quoted as it is.
    parts = re.split(r"(```.*?```)", markdown, flags=re.DOTALL)
    for at in range(0, len(parts), 2):
        parts[at] = LINK.sub(moved, parts[at])
        parts[at] = IMAGE.sub(lambda match: image(match, source, page), parts[at])
    return "".join(parts)


IMAGE = re.compile(r'((?:src|srcset)=")([^"]+)(")|(!\[[^\]]*\]\()([^)]+)(\))')


def image(match, source, page):
    """A picture is named by its path from the page's file; the book's copy of a page may lie elsewhere."""
    before, link, after = (match.group(1), match.group(2), match.group(3)) if match.group(1) else match.group(4, 5, 6)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    if not target.startswith("docs/"):
        return match.group(0)
    here = posixpath.dirname(page.file.src_uri)
    return f"{before}{posixpath.relpath(target.removeprefix('docs/'), here or '.')}{after}"
