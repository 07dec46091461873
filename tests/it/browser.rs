//! The HTML report in a real browser: Chromium without a window, driven through its DevTools
//! protocol on a pipe. `STOWPLAN_EXPECT_BROWSER` says that there must be one; `STOWPLAN_BROWSER`
//! names another than `chromium`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::helpers::stowplan;

/// A browser with one page.
struct Browser {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    calls: u64,
    session: Option<String>,
    /// What happened since the page was opened.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None`, said aloud, where there is no browser and none is expected.
    fn start() -> Option<Browser> {
        let named = std::env::var("STOWPLAN_BROWSER").unwrap_or_else(|_| "chromium".to_owned());
        let version = Command::new(&named).arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            let expected = std::env::var_os("STOWPLAN_EXPECT_BROWSER").is_some();
            assert!(!expected, "`{named}` is expected and cannot be run");
            eprintln!("skipped: no `{named}`; set STOWPLAN_BROWSER");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        // The protocol's pipe is file 3 in and file 4 out.
        let command = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
             --no-first-run --remote-debugging-pipe --user-data-dir=\"$1\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1";
        let mut process = Command::new("sh")
            .args(["-c", command, &named])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = process.stdin.take().unwrap();
        let from = BufReader::new(process.stdout.take().unwrap());
        let mut browser = Browser {
            process,
            to,
            from,
            calls: 0,
            session: None,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser is gone");
        serde_json::from_slice(&bytes).unwrap()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let mut answer = self.read();
            if answer["id"] == json!(self.calls) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    fn happened(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == json!(method)).collect()
    }

    /// Opens a file and waits until it is loaded.
    fn open(&mut self, path: &Path) {
        self.events.clear();
        let url = format!("file://{}", path.display());
        self.call("Page.navigate", json!({"url": url}));
        while self.happened("Page.loadEventFired").is_empty() {
            let event = self.read();
            self.events.push(event);
        }
        assert_eq!(self.run("'ready' in document.documentElement.dataset"), json!(true));
    }

    /// The value of an expression in the page.
    fn run(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let mut result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].take()
    }

    fn texts(&mut self, selector: &str) -> Vec<String> {
        let script = format!(
            "[...document.querySelectorAll({selector:?})].map((e) => e.textContent.trim())"
        );
        serde_json::from_value(self.run(&script)).unwrap()
    }

    /// Presses and releases a key; what it writes, if anything, goes where the focus is.
    fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if !text.is_empty() && kind == "keyDown" {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Nothing on the console, no script but the page's own, nothing asked of any network.
    fn quiet(&self) {
        for method in ["Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"] {
            assert!(self.happened(method).is_empty(), "{:?}", self.happened(method));
        }
        assert!(self.happened("Page.javascriptDialogOpening").is_empty(), "a name ran as a script");
        for request in self.happened("Network.requestWillBeSent") {
            let url = request["params"]["request"]["url"].as_str().unwrap();
            assert!(url.starts_with("file://") && url.ends_with(".html"), "asked for {url}");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A report of the arguments in a folder.
fn report(folder: &Path, args: &[&str]) -> std::path::PathBuf {
    let path = folder.join("report.html");
    stowplan().args(args).arg("-o").arg(&path).assert().success();
    path
}

/// A hundred tasks that alternate between large and small, on racks of nodes.
fn instance(folder: &Path) -> String {
    let nodes = (0..12).map(|j| {
        json!({"id": format!("n{j}"), "capacity": {"cpu": 64}, "labels": {"rack": format!("r{}", j % 3)}})
    });
    let tasks = (0..150).map(|i| json!({"id": format!("t{i}"), "demand": {"cpu": 1 + i % 7}}));
    let path = folder.join("instance.json");
    let text = json!({
        "schema_version": 1,
        "nodes": nodes.collect::<Vec<_>>(),
        "tasks": tasks.collect::<Vec<_>>(),
    });
    std::fs::write(&path, text.to_string()).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn search_sorting_and_grouping_work_by_keyboard() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let instance = instance(folder.path());
    browser.open(&report(folder.path(), &["solve", &instance]));
    // More than 60 tasks are grouped by node and folded.
    assert_eq!(browser.texts("#tasks tbody tr").len(), 12);
    browser.run("document.querySelector('#tasks tr.group button').focus()");
    browser.press("Enter", 13, "\r");
    let open = browser.texts("#tasks tbody tr").len();
    assert!(open > 12, "{open}");
    let expanded = "document.activeElement.getAttribute('aria-expanded')";
    assert_eq!(browser.run(expanded), json!("true"), "the focus is lost or nothing opened");

    browser.run("document.querySelector('[data-tools=tasks] select').focus()");
    browser.run(
        "(e => { e.value = ''; e.dispatchEvent(new Event('change')); })(document.activeElement)",
    );
    assert_eq!(browser.texts("#tasks tbody tr").len(), 100, "the first page");
    assert_eq!(browser.texts("[data-more=tasks] span"), ["The first 100 of 150 rows are shown."]);

    // By the third column, which is a number: ascending, descending, as it was.
    let numbers = "#tasks tbody td:nth-child(3)";
    browser.run("document.querySelectorAll('#tasks thead button')[2].focus()");
    browser.press("Enter", 13, "\r");
    let heads = "#tasks th[aria-sort=ascending]";
    assert_eq!(browser.texts(heads), ["cpu"]);
    let up: Vec<u32> = browser.texts(numbers).iter().map(|n| n.parse().unwrap()).collect();
    assert!(up.is_sorted() && up[0] == 1 && up[99] > 4, "{up:?}");
    browser.press(" ", 32, " ");
    assert_eq!(browser.texts("#tasks th[aria-sort=descending]"), ["cpu"]);
    assert_eq!(browser.texts(numbers)[0], "7");
    browser.press("Enter", 13, "\r");
    assert!(browser.texts("#tasks th[aria-sort]").is_empty());
    assert_eq!(browser.texts(numbers)[..3], ["1", "2", "3"]);
    // Names are sorted as people count: t2 before t10.
    browser.run("document.querySelector('#tasks thead button').focus()");
    browser.press("Enter", 13, "\r");
    assert_eq!(browser.texts("#tasks tbody th")[..3], ["t0", "t1", "t2"]);

    browser.run("document.querySelector('[data-tools=tasks] input').focus()");
    browser.write("T14");
    let found = browser.texts("#tasks tbody th");
    assert_eq!(found.len(), 11, "t14 and t140 to t149: {found:?}");
    assert_eq!(browser.texts("[data-tools=tasks] output"), ["11 of 150 match"]);
    browser.write("no such task");
    assert!(browser.texts("#tasks tbody tr").is_empty());

    // Nodes by their label.
    let grouped = "(e => { e.value = 'c:5'; e.dispatchEvent(new Event('change')); \
         return [...document.querySelectorAll('#nodes tr.group button')].map((b) => b.textContent); \
         })(document.querySelector('[data-tools=nodes] select'))";
    assert_eq!(browser.run(grouped), json!(["r0", "r1", "r2"]));
    browser.quiet();
}

#[test]
fn light_and_dark_and_the_way_to_the_main_part() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.open(&report(folder.path(), &["solve", "data/train-jobs.json"]));
    browser.press("Tab", 9, "");
    assert_eq!(browser.run("document.activeElement.className"), json!("skip"));
    assert!(
        browser.run("document.activeElement.getBoundingClientRect().left").as_f64() >= Some(0.0)
    );
    browser.press("Enter", 13, "\r");
    assert_eq!(browser.run("document.activeElement.id"), json!("main"));
    let background = "getComputedStyle(document.body).backgroundColor";
    let scheme = |dark: bool| {
        let value = if dark { "dark" } else { "light" };
        json!({"features": [{"name": "prefers-color-scheme", "value": value}]})
    };
    browser.call("Emulation.setEmulatedMedia", scheme(false));
    let light = browser.run(background);
    browser.call("Emulation.setEmulatedMedia", scheme(true));
    let dark = browser.run(background);
    assert_ne!(light, dark);
    browser.run("document.getElementById('theme').click()");
    assert_eq!(browser.run(background), light, "the button overrules the system");
    for width in [390, 1000, 1280] {
        let metrics =
            json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        let root = "document.documentElement";
        let fits = browser.run(&format!("{root}.scrollWidth === {root}.clientWidth"));
        assert_eq!(fits, json!(true), "at {width} pixels the page itself scrolls sideways");
    }
    // Texts stand out from what is behind them, in both schemes (WCAG AA: 4.5).
    let contrast = r#"(() => {
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const rgb = (color) => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        };
        const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
        let worst = [21, ""];
        for (const e of document.querySelectorAll("body *")) {
            if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.closest("svg, script, style, noscript")) continue;
            let behind = e;
            while (behind.parentElement && rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
            const [a, b] = [rgb(getComputedStyle(e).color), rgb(getComputedStyle(behind).backgroundColor)].map(light);
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 120)];
        }
        return worst;
    })()"#;
    for scheme in ["light", "dark"] {
        browser.run(&format!("document.documentElement.dataset.theme = {scheme:?}"));
        let worst = browser.run(contrast);
        assert!(worst[0].as_f64() >= Some(4.5), "{scheme}: {worst}");
    }
    browser.quiet();
}

/// Names that would be markup or scripts, wherever a name can stand.
#[test]
fn names_do_no_harm() {
    let evil = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</script></style></title><script>alert(1)</script>",
        "' onmouseover='alert(1)",
        "{{ 7 * 7 }} &amp; \u{202e}abc",
        "=cmd()",
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evil.json");
    let named = |name: &str, more: Value| {
        let mut object = json!({"id": name});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let nodes = evil.map(|name| {
        let label = if name.len() % 2 == 0 { evil[0] } else { evil[1] };
        named(name, json!({"capacity": {evil[0]: 9, "\"'&": 9}, "labels": {"</td><i>": label}}))
    });
    let tasks = evil.map(|name| named(name, json!({"demand": {evil[0]: 2}})));
    let large = named("too large <b>", json!({"demand": {evil[0]: 99}}));
    let tasks: Vec<Value> = tasks.into_iter().chain([large]).collect();
    let units = json!({evil[0]: {}, "\"'&": {"unit": evil[2]}});
    let text = json!({"schema_version": 1, "resources": units, "nodes": nodes, "tasks": tasks});
    std::fs::write(&path, text.to_string()).unwrap();
    let file = path.to_str().unwrap();
    let page = report(folder.path(), &["solve", file, "--allow-unplaced"]);
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&page);
    let shown = browser.texts("#tasks tbody th");
    let visible = evil.map(|name| name.replace('\u{202e}', "[U+202E]"));
    assert!(visible.iter().all(|name| shown.contains(name)), "{shown:?}");
    assert_eq!(browser.texts("#unplaced tbody th"), ["too large <b>"]);
    // Group heads are made by the script.
    let group = "(e => { e.value = 'c:1'; e.dispatchEvent(new Event('change')); })\
         (document.querySelector('[data-tools=tasks] select'))";
    browser.run(group);
    let strange = "document.querySelectorAll('main img, main script, main b:not(.strip b):not(.ramp b), main [onmouseover], main td i:not(.strip i):not(.bar i)').length";
    assert_eq!(browser.run(strange), json!(0), "a name became markup");
    browser.quiet();
    // The refusal and the comparison show names too.
    let refusal = folder.path().join("no.html");
    stowplan().args(["solve", file, "-o"]).arg(&refusal).assert().code(1);
    browser.open(&refusal);
    assert_eq!(browser.texts("h1"), ["No plan exists"]);
    assert!(browser.texts(".lead")[0].contains("too large <b>"));
    browser.quiet();
    let compared = report(
        folder.path(),
        &["compare", file, "--methods", "min-load,best-fit", "--allow-unplaced"],
    );
    browser.open(&compared);
    assert_eq!(browser.texts("#rows tbody tr").len(), 2);
    browser.quiet();
}
