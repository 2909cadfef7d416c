//! Results that come in pages.

use std::fmt::Debug;

use aws_smithy_runtime_api::box_error::BoxError;

use super::form::Form;
use crate::aws::call::{Client, Element, Failure};

/// The pages of an operation's result, each asked for when the one before has been read.
pub(super) struct Pages<F> {
    operation: &'static str,
    /// Makes the form that asks for the page of this name; with `None`, for the first one.
    form: F,
    next: Option<Option<String>>,
}

impl<F: Fn(Option<&str>) -> Form> Pages<F> {
    /// The pages of `operation`, requested by what `form` makes of the name of each.
    pub(super) fn new(operation: &'static str, form: F) -> Self {
        Self {
            operation,
            form,
            next: Some(None),
        }
    }

    /// What `read` makes of the next page; `None` after the last one.
    pub(super) async fn next<T: Debug + Send + Sync + 'static>(
        &mut self,
        client: &Client,
        read: fn(&Element) -> Result<T, BoxError>,
    ) -> Result<Option<T>, Failure> {
        let Some(name) = self.next.take() else {
            return Ok(None);
        };
        let form = (self.form)(name.as_deref());
        let answer = client.query(self.operation, form.parameters(), move |answer| {
            Ok((read(answer)?, answer.owned("NextToken")))
        });
        let (page, next) = answer.await?;
        // A page that names itself would be the next one for ever.
        let is_another = |next: &String| !next.is_empty() && Some(next) != name.as_ref();
        self.next = next.filter(is_another).map(Some);
        Ok(Some(page))
    }

    /// The items that `read` finds in all pages.
    pub(super) async fn all<T: Debug + Send + Sync + 'static>(
        mut self,
        client: &Client,
        read: fn(&Element) -> Result<Vec<T>, BoxError>,
    ) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        while let Some(page) = self.next(client, read).await? {
            all.extend(page);
        }
        Ok(all)
    }
}

/// The pages of what `operation` lists of `stack`.
pub(super) fn of_stack(
    operation: &'static str,
    stack: &str,
) -> Pages<impl Fn(Option<&str>) -> Form> {
    Pages::new(operation, move |page| {
        let form = Form::default().with("StackName", stack);
        form.with_some("NextToken", page)
    })
}
