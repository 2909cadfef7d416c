//! Pictures for `docs/images`, made from real runs. `cargo xtask pictures` writes them; the tests compare what they say
//! with what a run shows now.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Set where pictures are to be written anew: to the handlers as they are built for Lambda.
const WRITE: &str = "CHATCTL_PICTURES";

/// The width of a character and the height of a line, in units of the drawing.
const COLUMN: f32 = 8.4;
const LINE: f32 = 19.0;

/// Where the text begins.
const LEFT: f32 = 16.0;
const TOP: f32 = 62.0;

/// What a picture says beside what the program shows.
pub(crate) struct Caption<'a> {
    /// In the window's title bar: what is run, and on what.
    pub(crate) title: &'a str,
    /// Behind the prompt.
    pub(crate) command: &'a str,
    /// The first and the last row that are left out, where the program shows more than a picture should.
    pub(crate) without: Option<(usize, usize)>,
}

/// The handlers to deploy in pictures that are written; `None` where pictures are compared.
pub(crate) fn handlers_to_show() -> Option<PathBuf> {
    std::env::var_os(WRITE).map(PathBuf::from)
}

/// The file of a picture.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/images")
        .join(name)
}

/// Draws `screen` as an SVG whose text stays text; colours follow the reader's preference for light or dark.
pub(crate) fn drawing(screen: &vt100::Screen, caption: &Caption<'_>) -> String {
    let (_, columns) = screen.size();
    let mut rows: Vec<Vec<Run>> = (0..screen.size().0).map(|row| runs(screen, row)).collect();
    while rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    if let Some((first, last)) = caption.without {
        let rest = rows.split_off((last + 1).min(rows.len()));
        let left_out = rows.split_off(first).len();
        let text = format!("⋮ {left_out} more lines");
        rows.push(vec![Run {
            column: 10,
            text,
            class: "dim".into(),
        }]);
        rows.extend(rest);
    }
    let width = f32::from(columns) * COLUMN + 2.0 * LEFT;
    let height = TOP + (rows.len() + 1) as f32 * LINE;
    let mut drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"window\" x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\"/>\n\
         <path class=\"bar\" d=\"M0.5 32.5H{:.0}.5\"/>\n<text class=\"dim\" x=\"{LEFT}\" y=\"21\">{}</text>\n",
        escaped(caption.title),
        width - 1.0,
        height - 1.0,
        width - 1.0,
        escaped(caption.title),
    );
    let prompt = [
        Run {
            column: 0,
            text: "$".into(),
            class: "dim".into(),
        },
        Run {
            column: 2,
            text: caption.command.into(),
            class: "bold".into(),
        },
    ];
    for (row, runs) in std::iter::once(&prompt[..])
        .chain(rows.iter().map(|row| &row[..]))
        .enumerate()
    {
        let y = TOP + (row as f32 - 0.5) * LINE;
        for Run {
            column,
            text,
            class,
        } in runs
        {
            let x = LEFT + f32::from(*column) * COLUMN;
            let length = text.chars().count() as f32 * COLUMN;
            let class = if class.is_empty() {
                String::new()
            } else {
                format!(" class=\"{class}\"")
            };
            let _infallible = writeln!(
                drawing,
                "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\">{}</text>",
                escaped(text)
            );
        }
    }
    drawing + "</svg>\n"
}

/// Colours of a terminal, of which the programs use these.
const STYLE: &str = "
svg{--back:#fff;--line:#d0d7de;--text:#1f2328;--dim:#656d76;--c1:#cf222e;--c2:#116329;--c3:#9a6700;--c4:#0969da;--c5:#8250df;--c6:#1b7c83}
@media (prefers-color-scheme:dark){svg{--back:#0d1117;--line:#30363d;--text:#e6edf3;--dim:#8d96a0;--c1:#ff7b72;--c2:#3fb950;--c3:#d29922;--c4:#58a6ff;--c5:#bc8cff;--c6:#39c5cf}}
.window{fill:var(--back);stroke:var(--line)}
.bar{stroke:var(--line)}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--text);white-space:pre}
.bold{font-weight:700}.dim{fill:var(--dim)}
.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}.c5{fill:var(--c5)}.c6{fill:var(--c6)}
";

/// Characters of one look.
struct Run {
    column: u16,
    text: String,
    class: String,
}

fn runs(screen: &vt100::Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..screen.size().1 {
        let Some(cell) = screen.cell(row, column).filter(|cell| cell.has_contents()) else {
            // A blank goes on with the look before it, so that words stay together.
            if let Some(run) = runs.last_mut() {
                run.text.push(' ');
            }
            continue;
        };
        let class = class(cell);
        match runs.last_mut().filter(|run| run.class == class) {
            Some(run) => run.text.push_str(cell.contents()),
            None => runs.push(Run {
                column,
                text: cell.contents().to_owned(),
                class,
            }),
        }
    }
    for run in &mut runs {
        let blanks = run.text.len() - run.text.trim_start().len();
        run.column += u16::try_from(blanks).expect("a row is short");
        run.text = run.text.trim().to_owned();
    }
    runs.retain(|run| !run.text.is_empty());
    runs
}

fn class(cell: &vt100::Cell) -> String {
    let colour = match cell.fgcolor() {
        vt100::Color::Idx(number @ (1..=6 | 9..=14)) => Some(format!("c{}", number % 8)),
        vt100::Color::Idx(8) => Some("dim".into()),
        _ => cell.dim().then(|| "dim".into()),
    };
    let weight = cell.bold().then(|| "bold".to_owned());
    let both: Vec<_> = [colour, weight].into_iter().flatten().collect();
    both.join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The words that a drawing shows, without figures that differ from run to run and without where lines break.
fn words(drawing: &str) -> String {
    let mut words = String::new();
    for line in drawing.lines().filter(|line| line.starts_with("<text")) {
        let text = line.split_once('>').map_or("", |(_, rest)| rest);
        words += text.trim_end_matches("</text>");
        words.push(' ');
    }
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let words = words
        .split_whitespace()
        .map(|word| match word.contains(digits) {
            true => word.replace(digits, ""),
            false => word.to_owned(),
        });
    words.collect::<Vec<_>>().join(" ")
}

/// Writes `drawing` as the picture `name`, or compares what the two say.
#[track_caller]
pub(crate) fn keep(name: &str, drawing: &str) {
    if handlers_to_show().is_some() {
        std::fs::write(path(name), drawing).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(path(name)).unwrap_or_default();
    assert_eq!(
        words(&kept),
        words(drawing),
        "docs/images/{name} shows what chatctl said once: `cargo xtask pictures` makes it anew"
    );
}
