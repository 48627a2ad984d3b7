#include "app/options.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

#include "app/completion.h"

// What is typed, and what it is taken for.
namespace sim::app {

namespace {

Options parse(std::vector<const char*> words) {
  words.insert(words.begin(), "kraftsim");
  return parse_args(static_cast<int>(words.size()), words.data());
}

template <class T>
T parsed(std::vector<const char*> words) {
  const Options options = parse(std::move(words));
  if (const auto* said = std::get_if<SayOptions>(&options.command)) FAIL(said->text);
  REQUIRE(std::holds_alternative<T>(options.command));
  return std::get<T>(options.command);
}

}  // namespace

TEST_CASE("a run with everything") {
  const RunOptions run =
      parsed<RunOptions>({"run", "a.yaml", "--set", "cluster.brokers=5", "--seed", "7",
                          "--set=clients.shop.config.acks=1", "--out", "here", "--until", "1.5s", "--trace",
                          "full", "--json", "--quiet", "--force", "--check-determinism"});
  CHECK(run.file == "a.yaml");
  REQUIRE(run.overrides.size() == 3);
  CHECK(run.overrides[0].path == "cluster.brokers");
  CHECK(run.overrides[0].value == "5");
  CHECK(run.overrides[1].path == "clients.shop.config.acks");
  CHECK(run.overrides[2].path == "seed");
  CHECK(run.overrides[2].value == "7");
  CHECK(run.out == "here");
  CHECK(run.until == Duration{1'500'000'000});
  CHECK(run.trace == trace::Level::full);
  CHECK(run.json);
  CHECK(run.quiet);
  CHECK(run.force);
  CHECK(run.check_determinism);
}

TEST_CASE("a run with nothing else") {
  const RunOptions run = parsed<RunOptions>({"run", "@order-flow"});
  CHECK(run.file == "@order-flow");
  CHECK(run.overrides.empty());
  CHECK_FALSE(run.until.has_value());
  CHECK(run.trace == trace::Level::off);
  CHECK_FALSE(run.json);
}

TEST_CASE("the other commands") {
  CHECK(parsed<CheckOptions>({"check", "a.yaml", "b.yaml", "--resolve"}).files ==
        std::vector<std::string>{"a.yaml", "b.yaml"});
  CHECK(parsed<CheckOptions>({"check", "a.yaml", "--set", "seed=3"}).overrides.size() == 1);
  CHECK(parsed<ReplayOptions>({"replay", "runs/latest"}).run == "runs/latest");
  const PlotOptions plot = parsed<PlotOptions>({"plot", "a", "b", "--chart", "lag", "--format", "png,pdf"});
  CHECK(plot.request.runs.size() == 2);
  CHECK(plot.request.charts == std::vector<std::string>{"lag"});
  CHECK(plot.request.formats == std::vector<std::string>{"png", "pdf"});
  const ExportOptions exported = parsed<ExportOptions>(
      {"export", "a", "--format", "mermaid", "--window", "30s..45s", "--order", "slowest"});
  CHECK(exported.request.format == "mermaid");
  CHECK(exported.request.order == "slowest");
  REQUIRE(exported.request.window.has_value());
  CHECK(exported.request.window->first == 30s);
  CHECK(exported.request.window->second == 45s);
  CHECK(parsed<ExplainOptions>({"explain"}).topic.empty());
  CHECK(parsed<ExplainOptions>({"explain", "acks"}).topic == "acks");
  CHECK(parsed<CompletionOptions>({"completion", "fish"}).shell == "fish");
  parsed<ListOptions>({"list"});
  parsed<SchemaOptions>({"schema"});
  parsed<VersionOptions>({"version"});
  parsed<VersionOptions>({"--version"});
}

TEST_CASE("colours are asked for before or after the command") {
  CHECK(parse({"list"}).color == ColorMode::automatic);
  CHECK(parse({"--color", "never", "list"}).color == ColorMode::never);
  CHECK(parse({"--color=always", "list"}).color == ColorMode::always);
  CHECK(parse({"list", "--color", "always"}).color == ColorMode::always);
}

TEST_CASE("what is mistyped is refused with exit code 2, and the nearest word") {
  struct Row {
    std::vector<const char*> words;
    std::string want;  // the first lines
  };
  const Row rows[] = {
      {{"rnu"}, "kraftsim: there is no command \"rnu\"\n          did you mean run?\n"},
      {{"a.yaml"}, "kraftsim: there is no command \"a.yaml\"\n          did you mean kraftsim run a.yaml?\n"},
      {{"@order-flow"},
       "kraftsim: there is no command \"@order-flow\"\n          did you mean kraftsim run @order-flow?\n"},
      {{"--colour", "never", "list"},
       "kraftsim: there is no option --colour before the command\n          did you mean --color?\n"},
      {{"--color", "never"}, "kraftsim: a command is missing\n"},
      {{"--color", "sometimes", "list"}, "kraftsim: --color is auto, always or never, not \"sometimes\"\n"},
      {{"run"}, "kraftsim: run: FILE is required\n          usage: kraftsim run FILE [options]\n"},
      {{"run", "a", "b"}, "kraftsim: run: \"b\" is one too many\n"},
      {{"run", "a", "list"}, "kraftsim: run: \"list\" is one too many\n"},
      {{"run", "a", "--sed", "3"},
       "kraftsim: run: there is no option --sed\n          did you mean --seed?\n"},
      {{"run", "a", "--seed"}, "kraftsim: --seed needs a value\n"},
      {{"run", "a", "--seed", "1", "--seed=2"}, "kraftsim: --seed is given 2 times\n"},
      {{"run", "a", "--seed", "x"}, "kraftsim: run: --seed is a whole number, not \"x\"\n"},
      {{"run", "a", "--seed", "-1"}, "kraftsim: run: --seed is a whole number, not \"-1\"\n"},
      {{"run", "a", "--set", "brokers"},
       "kraftsim: run: --set takes path=value, such as --set cluster.brokers=5, not \"brokers\"\n"},
      {{"run", "a", "--until", "40"},
       "kraftsim: run: --until takes a duration such as 120s, 5ms or 400us: \"40\" needs a unit\n          "
       "write 40s"},
      {{"run", "a", "--trace", "fulll"},
       "kraftsim: run: --trace is one of off, control, full, not \"fulll\"\n          did you mean full?\n"},
      {{"check"}, "kraftsim: check: FILE is required\n          usage: kraftsim check FILE... [options]\n"},
      {{"list", "all"}, "kraftsim: list: \"all\" is one too many\n          usage: kraftsim list\n"},
      {{"completion", "tcsh"}, "kraftsim: completion: SHELL is one of bash, zsh, fish, not \"tcsh\"\n"},
      {{"plot", "a", "--format", "gif"}, "kraftsim: plot: --format is one of png, svg, pdf, not \"gif\"\n"},
      {{"plot", "a", "--chart", "lagg"}, "kraftsim: plot: --chart is one of "},
      {{"export", "a"}, "kraftsim: export: --format is required\n"},
      {{"export", "a", "--format", "mermaid", "--window", "9s"},
       "kraftsim: export: --window is two times with .. between them"},
      {{"export", "a", "--format", "mermaid", "--window", "9s..3s"},
       "kraftsim: export: --window 9s..3s ends before it begins\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.want);
    const Options options = parse(row.words);
    REQUIRE(std::holds_alternative<SayOptions>(options.command));
    const SayOptions& said = std::get<SayOptions>(options.command);
    CHECK(said.code == ExitCode::usage);
    CHECK(said.text.substr(0, row.want.size()) == row.want);
  }
}

TEST_CASE("no arguments: ten lines and a thing to try") {
  const SayOptions said = std::get<SayOptions>(parse({}).command);
  CHECK(said.code == ExitCode::usage);
  CHECK(std::count(said.text.begin(), said.text.end(), '\n') == 10);
  CHECK(said.text.ends_with("Try: kraftsim run @order-flow\n"));
}

TEST_CASE("help opens with three examples, and every command has its own") {
  const SayOptions said = std::get<SayOptions>(parse({"--help"}).command);
  CHECK(said.code == ExitCode::held);
  CHECK(said.text.starts_with("Examples\n  kraftsim run "));
  CHECK(said.text.find("\n\nCommands\n") != std::string::npos);
  for (const CommandWords& command : command_words()) {
    CAPTURE(command.name);
    const SayOptions help = std::get<SayOptions>(parse({command.name.c_str(), "--help"}).command);
    CHECK(help.code == ExitCode::held);
    CHECK(help.text.find("Usage: kraftsim " + command.name) != std::string::npos);
    CHECK(said.text.find("\n  " + command.name + " ") != std::string::npos);
  }
}

TEST_CASE("completion knows every command and option") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(std::string(shell));
    const std::string script = completion_script(shell);
    for (const CommandWords& command : command_words()) {
      CHECK(script.find(command.name) != std::string::npos);
      for (const OptionWords& option : command.options)
        CHECK(script.find(option.flag.substr(2)) != std::string::npos);
    }
    CHECK(script.find("@order-flow") != std::string::npos);
    CHECK(script.find("openmetrics") != std::string::npos);
  }
}

}  // namespace sim::app
