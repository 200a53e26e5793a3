//! Matching paths, and the methods a path has.

use lambda_http::http::Method;

/// Paths that several functions serve, each with other methods. A function cannot see the
/// routes of another, so they are listed here; a test compares the list with all routes.
pub const SHARED_PATHS: &[(&str, &[Method])] = &[("/api/jobs", &[Method::GET, Method::POST])];

/// The methods a path has, as `Allow` lists them: those of `routes`, and those of other
/// functions. HEAD is there wherever GET is.
pub(super) fn methods<'a>(
    path: &str,
    routes: impl Iterator<Item = (&'a Method, &'static str)>,
) -> Vec<&'static str> {
    let own = routes.filter(|(_, pattern)| match_path(pattern, path).is_some());
    let own = own.map(|(method, _)| method.clone());
    let shared = SHARED_PATHS.iter();
    let shared = shared.filter(|(pattern, _)| match_path(pattern, path).is_some());
    let shared = shared.flat_map(|(_, methods)| methods.iter().cloned());
    let methods: Vec<Method> = own.chain(shared).collect();
    let takes = |method: &&Method| match **method {
        Method::HEAD => methods.contains(&Method::GET),
        _ => methods.contains(*method),
    };
    let known = [
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
    ];
    let known = known.iter().filter(|(method, _)| takes(&method));
    known.map(|(_, name)| *name).collect()
}

/// The values of a route's path parameters, by name.
pub type Parameters = Vec<(&'static str, String)>;

/// The values of the `{…}` in `pattern`, if `path` matches it. A trailing slash is ignored.
pub fn match_path(pattern: &'static str, path: &str) -> Option<Parameters> {
    let mut parameters = Vec::new();
    let mut actual = path.trim_end_matches('/').split('/');
    for expected in pattern.split('/') {
        let segment = actual.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(_) if segment.is_empty() => return None,
            Some(name) => parameters.push((name, segment.to_owned())),
            None if expected == segment => {}
            None => return None,
        }
    }
    actual.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_by_its_segments() {
        let pattern = "/api/jobs/{jobId}";
        assert_eq!(
            match_path(pattern, "/api/jobs/01J"),
            Some(vec![("jobId", "01J".to_owned())])
        );
        assert!(match_path(pattern, "/api/jobs/01J/").is_some());
        assert!(match_path(pattern, "/api/jobs/").is_none());
        assert!(match_path(pattern, "/api/jobs/01J/retry").is_none());
        assert!(match_path("/api/jobs", "/api/jobs").is_some());
    }
}
