#include "app/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include "app/live_view.h"
#include "report/version.h"
#include "scenario/suggest.h"
#include "scenario/units.h"
#include "sweep/situations.h"

namespace sim::app {

namespace {

constexpr std::string_view kFirstSteps =
    R"(kraftsim plays Apache Kafka (KRaft) in simulated time: one scenario, one seed, the same bytes every time.

  kraftsim run @order-flow              play the built-in story: orders, three services, a verdict
  kraftsim list                         the scenarios there are
  kraftsim run FILE.yaml --seed 7       play yours
  kraftsim init                         write a first one of your own; import FILE... makes it of your cluster's files
  kraftsim explain acks                 what a key or a Kafka property means
  kraftsim --help                       everything else

Try: kraftsim run @order-flow
)";

constexpr std::string_view kExamples =
    R"(  kraftsim run scenarios/order-flow.yaml                            play a scenario: verdict here, files under runs/
  kraftsim run @order-flow --set cluster.brokers=5 --seed 7         another cluster, another seed
  kraftsim export runs/latest --format mermaid --order slowest      the story of one order
)";

const std::vector<std::string> kTraceLevels{"off", "control", "full"};
const std::vector<std::string> kColorModes{"auto", "always", "never"};
const std::vector<std::string> kShells{"bash", "zsh", "fish"};
const std::vector<std::string> kCiSystems{"github"};
const std::vector<std::string> kLatencyUnits{"ns", "us", "ms", "s"};

// What CLI11 writes into; turned into a Command when all of it is known to be right.
struct Raw {
  std::string color = "auto";
  bool version = false;
  std::string file, out, until, trace = "off", seed, topic, shell, format, order, window, run,
                                scenario = kCalibrationScenario, column, unit = "ms";
  std::string seeds = "1-100", ci, rules, speed, shard = "1/1", jobs = "auto", matrix, until_fail, budget,
              other;
  std::vector<std::string> files, sets, charts, formats, tolerances, required;
  std::string init_file = "scenario.yaml";
  InitAnswers init;
  bool no_crash = false;
  bool json = false, quiet = false, force = false, resolve = false, check_determinism = false,
       no_files = false, strict = false, resume = false, watch = false;
};

struct Parser {
  Raw raw;
  CLI::App app{"", "kraftsim"};

  Parser() {
    app.allow_extras();
    app.add_option("--color", raw.color, "Colours: auto, always or never")->type_name("WHEN");
    app.add_flag("--version", raw.version, "The version, and what it models");
    CLI::App* run = command("run", "Play a scenario: verdict on the screen, files and charts under runs/");
    file(run);
    run->add_option("--seed", raw.seed, "Another seed than the scenario's")->type_name("N");
    sets(run);
    strict(run);
    run->add_option("--out", raw.out, "Where the files go (runs/<scenario>/<seed>)")->type_name("DIR");
    run->add_option("--until", raw.until, "Stop at this simulated time, settled or not")->type_name("40s");
    run->add_option("--trace", raw.trace, "How much events.jsonl holds: off, control or full")
        ->type_name("LEVEL");
    run->add_flag("--json", raw.json, "Print summary.json instead of the text");
    run->add_flag("--quiet", raw.quiet, "Print the verdict only, no progress");
    run->add_flag("--force", raw.force, "Replace what stands in the output folder");
    run->add_flag("--no-files", raw.no_files, "Play and judge, write nothing");
    ci(run);
    run->add_flag("--watch", raw.watch, "Show the run in the terminal as it plays, before its results");
    run->add_option("--speed", raw.speed, "Of --watch: so many times real time (10x)")->type_name("10x");
    run->add_flag("--check-determinism", raw.check_determinism,
                  "Play two worlds side by side and compare them event by event");

    CLI::App* check = command("check", "Look for mistakes in scenarios; nothing is run");
    check->add_option("FILE", raw.files, "Scenarios, or @NAME of built-in ones")->required();
    sets(check);
    strict(check);
    ci(check);
    check->add_flag("--resolve", raw.resolve, "Print the scenario with every default filled in");

    CLI::App* sweep = command("sweep", "Play a scenario with many seeds: how often it fails, in which ways");
    file(sweep);
    sweep->add_option("--seeds", raw.seeds, "Which, such as 1-1000 or 1-100,500; 1-100 without it")
        ->type_name("LIST");
    sweep->add_option("--jobs", raw.jobs, "Processes at a time; auto: one for each processor")
        ->type_name("N");
    sweep->add_option("--shard", raw.shard, "Only part I of N equal ones; merge puts them together")
        ->type_name("I/N");
    sweep->add_option("--matrix", raw.matrix, "Configurations that are each played with every seed")
        ->type_name("FILE");
    sweep->add_option("--until-fail", raw.until_fail, "Stop once so many runs have failed")->type_name("K");
    sweep->add_option("--budget", raw.budget, "Stop after so much time on your clock")->type_name("10m");
    sweep->add_option("--require", raw.required, "Exit 1 unless some run was in this rare situation")
        ->type_name("NAME")
        ->allow_extra_args(false);
    sweep->add_flag("--resume", raw.resume, "Play only what the folder lacks");
    sets(sweep);
    strict(sweep);
    sweep->add_option("--out", raw.out, "Where the results go (runs/<scenario>/sweep)")->type_name("DIR");
    sweep->add_flag("--force", raw.force, "Begin anew, whatever the folder holds");
    sweep->add_flag("--json", raw.json, "Print summary.json instead of the page");
    sweep->add_flag("--quiet", raw.quiet, "No progress");
    ci(sweep);

    CLI::App* merge = command("merge", "Put shards of a sweep together, in whatever order");
    merge->add_option("SHARD", raw.files, "Folders of sweeps, or their results.jsonl")->required();
    merge->add_option("--out", raw.out, "Where the whole goes (runs/<scenario>/sweep)")->type_name("DIR");
    merge->add_flag("--force", raw.force, "Replace what stands there");
    merge->add_flag("--json", raw.json, "Print summary.json instead of the page");

    CLI::App* compare = command("compare", "Hold two runs, or two sweeps seed by seed, against each other");
    compare->add_option("A", raw.file, "A run's folder, a sweep's, or SWEEP:CONFIGURATION")->required();
    compare->add_option("B", raw.other, "The same; B is what changed")->required();
    compare->add_option("--tolerance", raw.tolerances, "Exit 1 if B's mean is more than so much higher")
        ->type_name("p99=10%")
        ->allow_extra_args(false);
    compare->add_option("--out", raw.out, "Write the comparison as a page (HTML) too")->type_name("FILE");

    CLI::App* blame = command("blame", "Which fault or setting makes a run end as it does");
    search(blame);
    blame->add_option("--jobs", raw.jobs, "Processes at a time; auto: one for each processor")
        ->type_name("N");

    CLI::App* pinpoint = command("pinpoint", "When a failure became certain");
    search(pinpoint);
    pinpoint->add_option("--jobs", raw.jobs, "Processes at a time; auto: one for each processor")
        ->type_name("N");
    pinpoint->add_option("--out", raw.out, "The file for a chart (runs/<scenario>/pinpoint-<seed>.json)")
        ->type_name("FILE");

    CLI::App* why = command("why", "The story of one order of a run, and what was decisive");
    folder(why);
    why->add_option("--order", raw.order, "A number, SERVICE/number, slowest, lost or duplicated")
        ->type_name("ID");

    CLI::App* shrink = command("shrink", "The smallest scenario that fails in the same way, as a file");
    search(shrink);
    shrink->add_option("--out", raw.out, "The file (runs/<scenario>/shrunk-<seed>.yaml)")->type_name("FILE");

    CLI::App* replay = command("replay", "Play a run again and compare fingerprints");
    folder(replay);
    replay->add_flag("--quiet", raw.quiet, "No progress");

    CLI::App* plot = command("plot", "Draw the charts of runs into RUN/charts/");
    plot->add_option("RUN", raw.files, "Folders of runs")->required();
    plot->add_option("--chart", raw.charts, "Only this chart; may be repeated")
        ->type_name("NAME")
        ->allow_extra_args(false);
    plot->add_option("--format", raw.formats, "png, svg or pdf, divided by commas")
        ->type_name("FORMATS")
        ->delimiter(',')
        ->allow_extra_args(false);

    CLI::App* reporting = command("report", "Write the page of a run or a sweep again, or that of many runs");
    reporting
        ->add_option(
            "RUN", raw.run,
            "The folder of a run or a sweep; or of many, such as runs/: they are listed in index.html")
        ->required();
    reporting->add_option("--out", raw.out, "Where to, instead of report.html (index.html) in the folder")
        ->type_name("FILE");

    CLI::App* exporting = command("export", "Print a run in the format of another tool");
    folder(exporting);
    exporting
        ->add_option("--format", raw.format,
                     "mermaid, perfetto, shiviz, otlp, openmetrics, promtool, junit or github")
        ->required()
        ->type_name("FORMAT");
    exporting->add_option("--order", raw.order, "One order: a number, SERVICE/number, or slowest")
        ->type_name("ID");
    exporting->add_option("--window", raw.window, "A window of simulated time")->type_name("30s..45s");
    exporting->add_option("--rules", raw.rules, "Of promtool: the Prometheus alerting rules to ask about")
        ->type_name("FILE");

    CLI::App* calibrate =
        command("calibrate",
                "Settings of network and processors with which acknowledgements take as long as measured");
    calibrate
        ->add_option(
            "FILE", raw.file,
            "Measured latencies: what kafka-producer-perf-test printed; or CSV with a column of "
            "latencies (latency_ms, ...), with intended_ns and acknowledged_ns (orders.csv of a run), "
            "or with percentile and latency_ms (p50, p90 or p95, p99)")
        ->required();
    calibrate->add_option("--column", raw.column, "The column of latencies")->type_name("NAME");
    calibrate->add_option("--unit", raw.unit, "Its unit, if its name does not end in it: ns, us, ms or s")
        ->type_name("UNIT");
    calibrate->add_option("--scenario", raw.scenario, "The world that is tuned (@calibration)")
        ->type_name("FILE");
    sets(calibrate);

    CLI::App* init = command("init", "Write a first scenario, from flags or from a few questions");
    init->add_option("FILE", raw.init_file, "Where to (scenario.yaml)");
    init->add_option("--brokers", raw.init.brokers, "How many brokers (3)")->type_name("N");
    init->add_option("--controllers", raw.init.controllers, "How many controllers (3)")->type_name("N");
    init->add_option("--topic", raw.init.topic, "The topic of the orders (orders)")->type_name("NAME");
    init->add_option("--partitions", raw.init.partitions, "Its partitions (6)")->type_name("N");
    init->add_option("--replication-factor", raw.init.replication_factor, "Replicas of each (3)")
        ->type_name("N");
    init->add_option("--min-isr", raw.init.min_isr, "Its min.insync.replicas (2)")->type_name("N");
    init->add_option("--rate", raw.init.rate, "How many orders come (200/s)")->type_name("200/s");
    init->add_option("--services", raw.init.services, "Who handles each order (payment,inventory)")
        ->type_name("LIST");
    init->add_option("--acks", raw.init.acks, "What the order service waits for: all, 1 or 0 (all)")
        ->type_name("WORD");
    init->add_flag("--no-crash", raw.no_crash, "No broker crashes in it");
    init->add_flag("--force", raw.force, "Replace the file if it exists");

    CLI::App* importing = command("import", "A scenario from the files and descriptions of a real cluster");
    importing
        ->add_option(
            "FILE", raw.files,
            "server.properties, producer.properties, consumer.properties; what kafka-topics --describe "
            "and kafka-consumer-groups --describe printed; docker compose, Strimzi's resources, Spring's "
            "application.yml; any number of them")
        ->required();
    importing->add_option("--out", raw.out, "Where the scenario goes; without it, it is printed")
        ->type_name("FILE");
    importing->add_flag("--force", raw.force, "Replace the file if it exists");

    command("list", "The scenarios there are, and what they show");
    CLI::App* explain =
        command("explain", "What a scenario's key or a Kafka property means; alone: an overview");
    explain->add_option("NAME", raw.topic, "Such as clients.payment.commit or linger.ms");
    command("schema", "Print the JSON Schema of scenarios");
    CLI::App* completion = command("completion", "Print the completion script of a shell");
    completion->add_option("SHELL", raw.shell, "bash, zsh or fish")->required();
    command("manual", "Print the manual page as scdoc reads it");
    command("version", "The version, and what it models");
  }

  CLI::App* command(const char* name, const char* meaning) {
    CLI::App* sub = app.add_subcommand(name, meaning);
    sub->allow_extras();
    sub->fallthrough();
    return sub;
  }
  void file(CLI::App* sub) {
    sub->add_option("FILE", raw.file, "A scenario, or @NAME of a built-in one")->required();
  }
  void search(CLI::App* sub) {
    file(sub);
    sub->add_option("--seed", raw.seed, "Another seed than the scenario's")->type_name("N");
    sub->add_option("--budget", raw.budget, "Stop after so much time on your clock")->type_name("60s");
    sets(sub);
    strict(sub);
    sub->add_flag("--quiet", raw.quiet, "No progress");
  }
  void folder(CLI::App* sub) {
    sub->add_option("RUN", raw.run, "The folder of a run, such as runs/latest")->required();
  }
  void sets(CLI::App* sub) {
    sub->add_option("--set", raw.sets, "Another value for a key of the scenario; may be repeated")
        ->type_name("path=value")
        ->allow_extra_args(false);
  }
  void ci(CLI::App* sub) {
    sub->add_option("--ci", raw.ci, "Print annotations for a continuous integration besides: github")
        ->type_name("SYSTEM");
  }
  void strict(CLI::App* sub) {
    sub->add_flag("--strict", raw.strict,
                  "Refuse properties that Kafka does not know, instead of ignoring them");
  }

  std::vector<CLI::App*> commands() {
    return app.get_subcommands([](CLI::App*) { return true; });
  }
  std::vector<std::string_view> command_names() {
    std::vector<std::string_view> names;
    for (const CLI::App* sub : commands()) names.push_back(sub->get_name());
    return names;
  }
};

std::string flag_of(const CLI::Option& option) {
  return "--" + option.get_lnames().front();
}

void list_options(const CLI::App& app, std::string& out) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
    std::string left = flag_of(*option);
    if (option->get_expected_max() > 0 && option->get_type_size() > 0) left += " " + option->get_type_name();
    out += fmt::format("  {:<26}{}\n", left, option->get_description());
  }
}

std::string usage_of(const CLI::App& sub) {
  std::string usage = "kraftsim " + sub.get_name();
  bool has_options = false;
  for (const CLI::Option* option : sub.get_options()) {
    if (!option->get_lnames().empty()) {
      has_options = has_options || option->get_lnames().front() != "help";
      continue;
    }
    const std::string name = option->get_name(true) + (option->get_items_expected_max() > 1 ? "..." : "");
    usage += option->get_required() ? " " + name : " [" + name + "]";
  }
  return usage + (has_options ? " [options]" : "");
}

std::string help(Parser& parser) {
  std::string text = "Examples\n" + std::string(kExamples) + "\nCommands\n";
  for (const CLI::App* sub : parser.commands())
    text += fmt::format("  {:<12}{}\n", sub->get_name(), sub->get_description());
  text += "\nOptions everywhere\n";
  text += "  --help                    What a command takes\n";
  list_options(parser.app, text);
  text +=
      "\nExit code: 0 all held, 1 an expectation failed, 2 usage or scenario error, 3 inconclusive, 4 not "
      "deterministic, 5 a bug of kraftsim, 6 out of memory, 7 results could not be written\n";
  return text;
}

std::string help(const CLI::App& sub) {
  std::string text = sub.get_description() + ".\n\nUsage: " + usage_of(sub) + "\n\n";
  for (const CLI::Option* option : sub.get_options()) {
    if (option->get_lnames().empty())
      text += fmt::format("  {:<26}{}\n", option->get_name(true), option->get_description());
  }
  list_options(sub, text);
  return text;
}

SayOptions refusal(const std::string& message, const std::string& hint = {},
                   const std::string& command = {}) {
  std::string text = "kraftsim: " + message + "\n";
  if (!hint.empty()) text += "          " + hint + "\n";
  text += "          kraftsim " + (command.empty() ? std::string("--help") : command + " --help") +
          " says more\n";
  return SayOptions{text, ExitCode::usage};
}

// CLI11 takes a mistyped command for a stray argument, so the first word is looked at before it gets to see
// it.
std::optional<SayOptions> unknown_command(Parser& parser, const std::vector<std::string>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--color") {
      ++i;
    } else if (args[i].starts_with("--") && !args[i].starts_with("--color=") && args[i] != "--help" &&
               args[i] != "--version") {
      return refusal("there is no option " + args[i] + " before the command",
                     scenario::did_you_mean(args[i], {"--color", "--help", "--version"}));
    } else if (!args[i].starts_with('-')) {
      const std::vector<std::string_view> names = parser.command_names();
      if (std::find(names.begin(), names.end(), args[i]) != names.end()) return std::nullopt;
      const bool file = args[i].starts_with('@') || args[i].ends_with(".yaml") || args[i].ends_with(".yml");
      std::string hint =
          file ? "did you mean kraftsim run " + args[i] + "?" : scenario::did_you_mean(args[i], names);
      return refusal("there is no command \"" + args[i] + "\"", hint);
    }
  }
  return std::nullopt;
}

SayOptions unexpected(Parser& parser, const CLI::App& sub, const std::string& word) {
  if (!word.starts_with("-") || word == "-")
    return refusal(sub.get_name() + ": \"" + word + "\" is one too many", "usage: " + usage_of(sub),
                   sub.get_name());
  std::vector<std::string> flags{"--help"};
  for (const CLI::App* app : {&sub, const_cast<const CLI::App*>(&parser.app)}) {
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_lnames().empty()) flags.push_back(flag_of(*option));
    }
  }
  const std::string flag = word.substr(0, word.find('='));
  return refusal(sub.get_name() + ": there is no option " + flag,
                 scenario::did_you_mean(flag, {flags.begin(), flags.end()}), sub.get_name());
}

// What is right for CLI11 and still wrong.
class Checked {
 public:
  // `has_no_flags`: the command stands alone, or with --force.
  Checked(const Raw& raw, std::string command, bool has_no_flags)
      : raw_(raw), command_(std::move(command)), has_no_flags_(has_no_flags) {}

  std::string one_of(const std::string& flag, const std::string& value,
                     const std::vector<std::string>& words) {
    if (std::find(words.begin(), words.end(), value) != words.end()) return value;
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
    fail(flag + " is one of " + list + ", not \"" + value + "\"",
         scenario::did_you_mean(value, {words.begin(), words.end()}));
    return words.front();
  }

  Duration duration(const std::string& flag, const std::string& text) {
    const scenario::Scalar scalar = scenario::read_scalar(text, scenario::UnitKind::duration);
    if (scalar.value && *scalar.value >= 0) return Duration{*scalar.value};
    fail(flag + " takes " + std::string(describe(scenario::UnitKind::duration)) + ": \"" + text + "\" " +
             (scalar.value ? "is negative" : scalar.problem),
         scalar.hint);
    return Duration{};
  }

  std::pair<Duration, Duration> window(const std::string& text) {
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) {
      fail("--window is two times with .. between them, such as 30s..45s, not \"" + text + "\"");
      return {};
    }
    const Duration from = duration("--window", text.substr(0, dots));
    const Duration to = duration("--window", text.substr(dots + 2));
    if (from >= to) fail("--window " + text + " ends before it begins");
    return {from, to};
  }

  std::vector<scenario::Override> overrides() {
    std::vector<scenario::Override> overrides;
    for (const std::string& set : raw_.sets) {
      const std::size_t equals = set.find('=');
      if (equals == std::string::npos || equals == 0) {
        fail("--set takes path=value, such as --set cluster.brokers=5, not \"" + set + "\"");
      } else {
        overrides.push_back(scenario::Override{set.substr(0, equals), set.substr(equals + 1)});
      }
    }
    if (raw_.seed.empty()) return overrides;
    const scenario::Scalar seed = scenario::read_scalar(raw_.seed, scenario::UnitKind::none);
    if (!seed.value || *seed.value < 0) fail("--seed is a whole number, not \"" + raw_.seed + "\"");
    overrides.push_back(scenario::Override{"seed", raw_.seed});
    return overrides;
  }

  // At least one.
  std::uint64_t count(const std::string& flag, const std::string& text) {
    constexpr std::int64_t kMost = 1'000'000'000;
    const scenario::Scalar scalar = scenario::read_scalar(text, scenario::UnitKind::none);
    if (scalar.value && *scalar.value >= 1 && *scalar.value <= kMost)
      return static_cast<std::uint64_t>(*scalar.value);
    fail(flag + " is a whole number from 1 on, not \"" + text + "\"");
    return 1;
  }

  void fail(const std::string& message, const std::string& hint = {}) {
    if (!refusal_) refusal_ = refusal(command_ + ": " + message, hint, command_);
  }

  Command command() {
    Command command = read();
    if (refusal_) return *refusal_;
    return command;
  }

 private:
  scenario::Strictness strictness() const {
    return raw_.strict ? scenario::Strictness::strict : scenario::Strictness::lenient;
  }

  Command read() {
    if (command_ == "run") return run();
    if (command_ == "check") return CheckOptions{raw_.files, overrides(), raw_.resolve, strictness(), ci()};
    if (command_ == "replay") return ReplayOptions{raw_.run, raw_.quiet};
    if (command_ == "plot") {
      PlotRequest request{{raw_.files.begin(), raw_.files.end()}, {}, {}};
      for (const std::string& chart : raw_.charts)
        request.charts.push_back(one_of("--chart", chart, every_chart_name()));
      for (const std::string& format : raw_.formats)
        request.formats.push_back(one_of("--format", format, {"png", "svg", "pdf"}));
      return PlotOptions{std::move(request)};
    }
    if (command_ == "report") return ReportOptions{raw_.run, raw_.out};
    if (command_ == "export") {
      report::ExportRequest request{raw_.run, one_of("--format", raw_.format, report::export_formats()),
                                    raw_.order, std::nullopt, raw_.rules};
      if (!raw_.window.empty()) request.window = window(raw_.window);
      return ExportOptions{std::move(request)};
    }
    if (command_ == "sweep") return sweep();
    if (command_ == "merge") return MergeOptions{raw_.files, raw_.out, raw_.force, raw_.json};
    if (command_ == "compare") return compare();
    if (command_ == "blame") return BlameCommand{search()};
    if (command_ == "pinpoint") return PinpointCommand{search()};
    if (command_ == "why") return WhyOptions{raw_.run, raw_.order.empty() ? "slowest" : raw_.order};
    if (command_ == "shrink") return ShrinkCommand{search()};
    if (command_ == "calibrate") {
      return CalibrateOptions{
          raw_.file, raw_.scenario, overrides(), {raw_.column, one_of("--unit", raw_.unit, kLatencyUnits)}};
    }
    if (command_ == "init") return init();
    if (command_ == "import") return ImportOptions{raw_.files, raw_.out, raw_.force};
    if (command_ == "list") return ListOptions{};
    if (command_ == "explain") return ExplainOptions{raw_.topic};
    if (command_ == "schema") return SchemaOptions{};
    if (command_ == "manual") return ManualOptions{};
    if (command_ == "completion") return CompletionOptions{one_of("SHELL", raw_.shell, kShells)};
    return VersionOptions{};
  }

  Command run() {
    RunOptions options;
    options.file = raw_.file;
    options.overrides = overrides();
    options.strictness = strictness();
    options.out = raw_.out;
    if (!raw_.until.empty()) options.until = duration("--until", raw_.until);
    const std::string level = one_of("--trace", raw_.trace, kTraceLevels);
    options.trace = level == "full"      ? trace::Level::full
                    : level == "control" ? trace::Level::control
                                         : trace::Level::off;
    options.json = raw_.json;
    options.quiet = raw_.quiet;
    options.force = raw_.force;
    options.check_determinism = raw_.check_determinism;
    options.no_files = raw_.no_files;
    options.ci = ci();
    options.watch_speed = watch_speed();
    options.watch_speed = watch_speed();
    return options;
  }

  // 0: nobody watches.
  std::int64_t watch_speed() {
    std::string number = raw_.speed;
    if (number.ends_with('x')) number.pop_back();
    if (!raw_.watch && !number.empty()) fail("--speed is of --watch");
    if (!raw_.watch) return 0;
    return number.empty() ? kUsualSpeed : static_cast<std::int64_t>(count("--speed", number));
  }

  Command init() {
    InitOptions options{raw_.init_file, raw_.init, has_no_flags_, raw_.force};
    if (raw_.no_crash) options.answers.crash = "no";
    const Result<importer::FirstScenario> wanted = first_scenario_of(options.answers);
    if (!wanted) fail(wanted.problems().front().message, wanted.problems().front().hint);
    return options;
  }

  Command compare() {
    CompareOptions options{raw_.file, raw_.other, {}, raw_.out};
    for (const std::string& text : raw_.tolerances) {
      std::string why_not;
      if (const auto tolerance = sweep::Tolerance::read(text, why_not)) {
        options.tolerances.push_back(*tolerance);
      } else {
        fail("--tolerance: " + why_not);
      }
    }
    return options;
  }

  SearchOptions search() {
    SearchOptions options;
    options.file = raw_.file;
    options.overrides = overrides();
    options.strictness = strictness();
    options.jobs = jobs();
    if (!raw_.budget.empty()) options.budget = duration("--budget", raw_.budget);
    options.out = raw_.out;
    options.quiet = raw_.quiet;
    return options;
  }

  // 0: as many as there are processors.
  std::size_t jobs() {
    constexpr std::size_t kMostJobs = 4'096;
    const std::size_t jobs = raw_.jobs == "auto" ? 0 : static_cast<std::size_t>(count("--jobs", raw_.jobs));
    if (jobs > kMostJobs) fail("--jobs is at most " + std::to_string(kMostJobs));
    return jobs;
  }

  Command sweep() {
    SweepOptions options;
    options.file = raw_.file;
    options.overrides = overrides();
    options.strictness = strictness();
    std::string why_not;
    if (const auto seeds = sweep::SeedList::read(raw_.seeds, why_not)) {
      options.seeds = *seeds;
    } else {
      fail("--seeds: " + why_not, "such as --seeds 1-1000");
    }
    if (const auto shard = sweep::Shard::read(raw_.shard, why_not)) {
      options.shard = *shard;
    } else {
      fail("--shard: " + why_not);
    }
    options.jobs = jobs();
    if (!raw_.until_fail.empty()) options.until_failures = count("--until-fail", raw_.until_fail);
    if (!raw_.budget.empty()) options.budget = duration("--budget", raw_.budget);
    for (const std::string& name : raw_.required)
      options.required.push_back(one_of("--require", name, sweep::known_situations()));
    options.matrix = raw_.matrix;
    options.out = raw_.out;
    options.resume = raw_.resume;
    options.force = raw_.force;
    options.json = raw_.json;
    options.quiet = raw_.quiet;
    options.ci = ci();
    return options;
  }

  CiSystem ci() {
    if (raw_.ci.empty()) return CiSystem::none;
    one_of("--ci", raw_.ci, kCiSystems);
    return CiSystem::github;
  }

  const Raw& raw_;
  std::string command_;
  bool has_no_flags_;
  std::optional<SayOptions> refusal_;
};

Command parse(Parser& parser, std::vector<std::string> args) {
  if (args.empty()) return SayOptions{std::string(kFirstSteps), ExitCode::usage};
  if (std::optional<SayOptions> refused = unknown_command(parser, args)) return *refused;
  const std::vector<std::string> typed = args;
  try {
    std::reverse(args.begin(), args.end());  // as CLI11 wants them
    parser.app.parse(args);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = parser.app.get_subcommands();
    return SayOptions{chosen.empty() ? help(parser) : help(*chosen.front()), ExitCode::held};
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string flag = std::string(error.what()).substr(0, std::string_view(error.what()).find(':'));
    const auto times_given = std::count_if(typed.begin(), typed.end(), [&flag](const std::string& word) {
      return word == flag || word.starts_with(flag + "=");
    });
    return refusal(
        times_given > 1 ? flag + " is given " + std::to_string(times_given) + " times"
                        : flag + " needs a value",
        {}, parser.app.get_subcommands().empty() ? "" : parser.app.get_subcommands().front()->get_name());
  } catch (const CLI::ParseError& error) {
    const std::vector<CLI::App*> chosen = parser.app.get_subcommands();
    const std::string command = chosen.empty() ? "" : chosen.front()->get_name();
    return refusal((command.empty() ? "" : command + ": ") + error.what(),
                   chosen.empty() ? "" : "usage: " + usage_of(*chosen.front()), command);
  }
  const std::vector<CLI::App*> chosen = parser.app.get_subcommands();
  if (chosen.empty()) {
    if (parser.raw.version) return VersionOptions{};
    const std::vector<std::string> rest = parser.app.remaining();
    return rest.empty() ? refusal("a command is missing", "try: kraftsim run @order-flow")
                        : refusal("there is no option " + rest.front());
  }
  const std::vector<std::string> rest = parser.app.remaining(true);
  if (!rest.empty()) return unexpected(parser, *chosen.front(), rest.front());
  if (chosen.size() > 1) return unexpected(parser, *chosen.front(), chosen[1]->get_name());
  const bool has_no_flags = std::none_of(typed.begin(), typed.end(), [](const std::string& given) {
    return given.starts_with("--") && given != "--force" && !given.starts_with("--color");
  });
  return Checked(parser.raw, chosen.front()->get_name(), has_no_flags).command();
}

}  // namespace

Options parse_args(int argc, const char* const* argv) {
  Parser parser;
  Options options;
  options.command = parse(parser, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  const std::string& color = parser.raw.color;
  if (std::find(kColorModes.begin(), kColorModes.end(), color) == kColorModes.end()) {
    options.command = refusal("--color is auto, always or never, not \"" + color + "\"");
  }
  options.color = color == "always"  ? ColorMode::always
                  : color == "never" ? ColorMode::never
                                     : ColorMode::automatic;
  return options;
}

std::vector<CommandWords> command_words() {
  Parser parser;
  std::vector<CommandWords> commands;
  for (const CLI::App* sub : parser.commands()) {
    CommandWords words{sub->get_name(), sub->get_description(), {}, {}, false, usage_of(*sub), {}};
    for (const CLI::Option* option : sub->get_options()) {
      if (option->get_lnames().empty())
        words.positionals.push_back({option->get_name(true), option->get_description()});
    }
    for (const CLI::App* app : {sub, const_cast<const CLI::App*>(&parser.app)}) {
      for (const CLI::Option* option : app->get_options()) {
        if (option->get_lnames().empty() || option->get_lnames().front() == "version") continue;
        OptionWords flag{flag_of(*option),
                         option->get_description(),
                         option->get_expected_max() > 0 && option->get_type_size() > 0,
                         {},
                         option->get_expected_max() > 0 && option->get_type_size() > 0
                             ? option->get_type_name()
                             : std::string()};
        if (flag.flag == "--help" && app == &parser.app) continue;
        if (flag.flag == "--trace") flag.values = kTraceLevels;
        if (flag.flag == "--ci") flag.values = kCiSystems;
        if (flag.flag == "--unit") flag.values = kLatencyUnits;
        if (flag.flag == "--color") flag.values = kColorModes;
        if (flag.flag == "--chart") flag.values = every_chart_name();
        if (flag.flag == "--format")
          flag.values = words.name == "export" ? report::export_formats()
                                               : std::vector<std::string>{"png", "svg", "pdf"};
        words.options.push_back(std::move(flag));
      }
    }
    if (words.name == "completion") words.arguments = kShells;
    words.takes_files = words.name == "run" || words.name == "check" || words.name == "replay" ||
                        words.name == "plot" || words.name == "export" || words.name == "sweep" ||
                        words.name == "merge" || words.name == "calibrate" || words.name == "report" ||
                        words.name == "compare" || words.name == "blame" || words.name == "shrink" ||
                        words.name == "pinpoint" || words.name == "why" || words.name == "init" ||
                        words.name == "import";
    commands.push_back(std::move(words));
  }
  return commands;
}

}  // namespace sim::app
