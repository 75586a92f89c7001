//! The console's pages and server functions, as the app defines them: rendered here, with what they need in context.

use crate::{
    assets::Site,
    doors::Doors,
    forms,
    headers::{page_policy, wants_page},
    http::problem,
    sign_in,
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use domain::Caller;
use http::{HeaderValue, Method, StatusCode, header};
use leptos::{config::LeptosOptions, context::provide_context, nonce::use_nonce, prelude::use_context};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes as _, ResponseOptions, generate_route_list_with_exclusions_and_ssg_and_context,
};
use std::sync::OnceLock;

/// A form with a secret of 64 KiB, of which a browser writes every byte with three.
const FORM_MAX: usize = 256 * 1024;

/// Leptos' own settings. Names of files come from the build's manifest, not from these.
pub(crate) fn options() -> LeptosOptions {
    LeptosOptions::builder().output_name("app").build()
}

/// The addresses of the pages, found once in a process. While the app is asked for them no resource loads in the whole
/// process (leptos_server keeps that switch in a static): a page that another server of this process renders meanwhile would
/// wait for its data until it is given up.
static ROUTES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();

/// Every page and server function.
pub(crate) fn router(doors: &Doors) -> Router<Doors> {
    let listing = context(doors);
    let find = || generate_route_list_with_exclusions_and_ssg_and_context(app::App, None, listing).0;
    let routes = ROUTES.get_or_init(find).clone();
    let shell = || app::shell(options());
    Router::new()
        .leptos_routes_with_context(doors, routes, context(doors), shell)
        .route_layer(from_fn_with_state(doors.clone(), forms::bring_back))
        .layer(DefaultBodyLimit::max(FORM_MAX))
        .route_layer(from_fn_with_state(doors.clone(), signed_in))
}

/// What pages and server functions find in their context, beside the request's parts.
fn context(doors: &Doors) -> impl Fn() + Clone + Send + Sync + 'static {
    let (engine, site): (engine::Engine, Site) = (doors.engine().clone(), doors.site().clone());
    let doors = doors.clone();
    move || {
        provide_context(engine.clone());
        provide_context(site.addresses().clone());
        let parts = use_context::<http::request::Parts>();
        if let Some(parts) = &parts {
            let here = doors.origins().here(&parts.headers, &parts.uri, doors.front());
            provide_context(app::Here(here));
        }
        provide_context::<Option<Caller>>(parts.and_then(|parts| parts.extensions.get::<Caller>().cloned()));
        if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce()) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, page_policy(&nonce));
        }
    }
}

/// Sends who is not signed in to sign in, and back here afterwards. Server functions refuse by themselves.
async fn signed_in(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD) && !request.uri().path().starts_with("/api/");
    if !is_page
        && let Some(caller) = request.extensions().get::<Caller>()
        && let Err(refused) = crate::http::call(&doors, &caller.person)
    {
        return refused.into_response();
    }
    // The page for a phone without a network is kept by the browser, so it is there for everybody.
    let is_open = request.uri().path() == "/offline";
    if is_page && !is_open && request.extensions().get::<Caller>().is_none() {
        let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
        return sign_in::detour(asked).into_response();
    }
    let mut response = next.run(request).await;
    if is_page {
        // Somebody's own page: kept by nobody in between, and asked for anew.
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("private, no-cache"));
    }
    response
}

/// What is at no other address: the app's own page that says so, or JSON for programs.
pub(crate) async fn nothing_here(State(doors): State<Doors>, request: Request<Body>) -> Response {
    let page = matches!(*request.method(), Method::GET | Method::HEAD) && wants_page(request.headers());
    if !page {
        return problem::no_such_route().await.into_response();
    }
    if request.extensions().get::<Caller>().is_none() {
        let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
        return sign_in::detour(asked).into_response();
    }
    let render = leptos_axum::render_app_to_stream_with_context(context(&doors), || app::shell(options()));
    let mut response = render(request).await.into_response();
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
