//! A deployed chat, and a browser before it.

use crate::browser::Browser;
use crate::friends::links;
use crate::project::Project;
use crate::window::Window;

pub(crate) struct Scene {
    // It ends before the chat does.
    browser: Browser,
    pub(crate) project: Project,
    pub(crate) endpoint: String,
    pub(crate) links: Vec<String>,
}

impl Scene {
    /// Of the chat that `config` describes.
    pub(crate) fn new(config: &str) -> Self {
        let project = Project::new(config);
        let endpoint = project.deployed(&[]);
        Self::before(project, endpoint)
    }

    /// The same, of a chat that is not probed.
    pub(crate) fn unprobed(config: &str) -> Self {
        let project = Project::new(config);
        let endpoint = project.deployed(&["--no-probe"]);
        Self::before(project, endpoint)
    }

    /// Of the chat that `project` has deployed at `endpoint`.
    pub(crate) fn before(project: Project, endpoint: String) -> Self {
        Self {
            browser: Browser::start(),
            links: links(&project),
            project,
            endpoint,
        }
    }

    /// Where the page is, for a user who gives no name.
    pub(crate) fn base(&self) -> String {
        self.links[0].split('?').next().unwrap().to_owned()
    }

    /// A new window that shows `url`.
    pub(crate) fn window(&mut self, url: &str) -> Window {
        self.browser.window(url)
    }

    /// A new window before it shows anything.
    pub(crate) fn blank(&mut self) -> Window {
        self.browser.blank()
    }

    /// The window of the user who follows the first link.
    pub(crate) fn tom(&mut self) -> Window {
        self.browser.window(&self.links[0])
    }

    /// The window of the user who follows the second link.
    pub(crate) fn jerry(&mut self) -> Window {
        self.browser.window(&self.links[1])
    }

    /// A window of a user who has followed no link.
    pub(crate) fn stranger(&mut self) -> Window {
        let base = self.base();
        self.browser.window(&base)
    }
}
