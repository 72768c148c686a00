/// Why a graph can't answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Two components have one name.
    #[error("two components are named `{0}`")]
    Duplicate(String),
    /// There is no component of that name.
    #[error("there is no component `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The name asked for.
        name: String,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// There are more nodes than fit into their numbers.
    #[error("there are more than {limit} components and packages")]
    TooLarge {
        /// How many there may be.
        limit: usize,
    },
}
