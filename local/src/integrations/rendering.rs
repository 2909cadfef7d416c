//! How long a template may take, where others wait for it and where they do not.

use std::time::{Duration, Instant};

use apigw_mapping::{Inputs, Template, TemplateError};

/// How a template is rendered: `None` if that would take too long where it is done.
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

/// How long a rendering may take, where others wait for it and where they do not. Steps end it earlier in most cases.
const TIME_IN_PASSING: Duration = Duration::from_millis(20);
const TIME: Duration = Duration::from_secs(10);

fn over_in(time: Duration) -> impl Fn() -> bool {
    let end = Instant::now() + time;
    move || Instant::now() >= end
}
