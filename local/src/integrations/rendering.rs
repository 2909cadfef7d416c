//! The time limits for templates, on the gateway's thread and on others.

use std::time::{Duration, Instant};

use apigw_mapping::{Inputs, Template, TemplateError};

/// Renders a template; `None` if that would take too long on this thread.
pub(super) type Render = fn(&Template, &Inputs<'_>) -> Option<Result<String, TemplateError>>;

pub(super) fn render_in_passing(
    template: &Template,
    inputs: &Inputs<'_>,
) -> Option<Result<String, TemplateError>> {
    template.render_in_passing(inputs, &over_in(TIME_IN_PASSING))
}

pub(super) fn render_wholly(
    template: &Template,
    inputs: &Inputs<'_>,
) -> Option<Result<String, TemplateError>> {
    Some(template.render(inputs, &over_in(TIME)))
}

/// The time limits of a rendering on the gateway's thread and on others. The limit of steps ends most of them earlier.
const TIME_IN_PASSING: Duration = Duration::from_millis(20);
const TIME: Duration = Duration::from_secs(10);

fn over_in(time: Duration) -> impl Fn() -> bool {
    let end = Instant::now() + time;
    move || Instant::now() >= end
}
