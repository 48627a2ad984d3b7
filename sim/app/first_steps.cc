#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/say.h"
#include "importer/first_scenario.h"
#include "importer/plan.h"
#include "importer/read_files.h"
#include "importer/scenario_text.h"
#include "report/words.h"
#include "scenario/files.h"
#include "scenario/java_properties.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"
#include "sweep/results_file.h"

// init and import: how people come to a scenario of their own.
namespace sim::app {

namespace {

// Nothing if the file may be written.
std::optional<Problem> in_the_way(const std::string& file, bool force) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed))
    return report::problem_with(file, "is a folder, not a file");
  if (force || !std::filesystem::exists(file, failed)) return std::nullopt;
  return report::problem_with(file, "exists already", "--force replaces it");
}

// ---- init, on a terminal

// What was typed, or the default if it was nothing; the default from the end of the input on.
std::string answer(const std::string& question, const std::string& fallback) {
  print(stderr, fmt::format("{} [{}] ", question, fallback));
  std::string typed;
  if (!std::getline(std::cin, typed)) {
    print(stderr, "\n");
    return fallback;
  }
  const std::size_t first = typed.find_first_not_of(" \t\r");
  if (first == std::string::npos) return fallback;
  return typed.substr(first, typed.find_last_not_of(" \t\r") - first + 1);
}

// Asks again until the answer can be taken.
void ask(InitAnswers& answers, std::string InitAnswers::*which, const std::string& question) {
  constexpr int kMostTries = 20;
  for (int i = 0; i < kMostTries; ++i) {
    const std::string typed = answer(question, answers.*which);
    InitAnswers tried = answers;
    tried.*which = typed;
    const Result<importer::FirstScenario> wanted = first_scenario_of(tried);
    if (wanted) {
      answers = tried;
      return;
    }
    for (const Problem& problem : wanted.problems())
      print(stderr, "  " + problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")") + "\n");
  }
}

void ask_all(InitAnswers& answers) {
  print(stderr, "A first scenario, in six questions. Return takes what stands in brackets.\n");
  ask(answers, &InitAnswers::brokers, "How many brokers?");
  ask(answers, &InitAnswers::partitions, "How many partitions has the topic of the orders?");
  ask(answers, &InitAnswers::rate, "How many orders come?");
  ask(answers, &InitAnswers::services, "Which services handle each order, divided by commas?");
  ask(answers, &InitAnswers::acks, "When does the cluster acknowledge an order: acks=0, 1 or all?");
  ask(answers, &InitAnswers::crash, "Does a broker crash in the middle: yes or no?");
}

// ---- import

void count(std::string& text, std::size_t number, const char* one, const char* several) {
  text += (text.empty() ? "" : ", ") + std::to_string(number) + " " + (number == 1 ? one : several);
}

std::string contents_of(const importer::Plan& plan) {
  std::string text;
  count(text, static_cast<std::size_t>(plan.brokers), "broker", "brokers");
  count(text, static_cast<std::size_t>(plan.controllers), "controller", "controllers");
  if (plan.combined) text += " (combined)";
  count(text, plan.topics.size(), "topic", "topics");
  const auto producers = static_cast<std::size_t>(
      std::count_if(plan.clients.begin(), plan.clients.end(),
                    [](const importer::PlannedClient& client) { return client.produces; }));
  count(text, producers, "producer", "producers");
  count(text, plan.clients.size() - producers, "group", "groups");
  return text;
}

std::string left_out_list(const std::vector<importer::LeftOut>& left_out) {
  if (left_out.empty()) return "read     all of it\n";
  std::string text =
      fmt::format("not in it, and why ({}; they stand at the end of the scenario, too)\n", left_out.size());
  for (const importer::LeftOut& one : left_out)
    text += fmt::format("  {}  {}: {}\n", importer::place_of(one.origin), one.what, one.reason);
  return text;
}

// As UTF-8, whatever it is; old .properties are Latin-1.
std::optional<Problem> read_text(const std::string& file, std::string& text) {
  bool is_utf8 = true;
  std::string why_not;
  if (!scenario::read_properties_file(file, scenario::kMaxFileBytes, text, is_utf8, why_not))
    return report::problem_with(file, why_not);
  const bool is_binary = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f';
  });
  if (is_binary) {
    return report::problem_with(file, "is not a text: it holds control characters",
                                text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")
                                    ? "it is UTF-16, and can be read as UTF-8: iconv -f UTF-16 -t UTF-8"
                                    : "");
  }
  if (!is_utf8) text = scenario::latin1_to_utf8(text);
  return std::nullopt;
}

// What a file is called in the scenario: without its folder, unless another one is called so, too.
std::string name_in_scenario(const std::string& file, const std::vector<std::string>& all) {
  const auto bare = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  const std::string name = bare(file);
  const bool is_unique = std::count_if(all.begin(), all.end(),
                                       [&](const std::string& other) { return bare(other) == name; }) == 1;
  return is_unique && !name.empty() ? name : file;
}

Result<importer::Imported> import_files(const ImportOptions& options) {
  importer::Inventory inventory;
  Problems problems;
  std::vector<std::string> names;
  for (const std::string& file : options.files) {
    importer::InputText input;
    input.name = name_in_scenario(file, options.files);
    names.push_back(input.name);
    if (const std::optional<Problem> problem = read_text(file, input.text)) {
      problems.push_back(*problem);
      continue;
    }
    for (Problem& problem : importer::read_input(input, inventory)) {
      problem.file = file;
      problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty()) return problems;
  return importer::write_scenario(importer::plan_of(std::move(inventory)), options.out, names);
}

}  // namespace

int init_command(const InitOptions& options, const Terminal& terminal) {
  if (const auto problem = in_the_way(options.file, options.force)) return refuse({*problem}, terminal);
  InitAnswers answers = options.answers;
  if (options.may_ask && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) ask_all(answers);
  const Result<importer::FirstScenario> wanted = first_scenario_of(answers);
  if (!wanted) return refuse(wanted.problems(), terminal);
  const std::string text = importer::first_scenario_text(*wanted, options.file);
  const Result<scenario::Scenario> loaded = scenario::load_text(options.file, text, {});
  if (!loaded) return refuse(loaded.problems(), terminal);
  if (const auto failed = sweep::write_whole(options.file, text)) return refuse({*failed}, terminal);
  const std::string file = report::shell_word(options.file);
  std::string said = fmt::format(
      "{} is written: {} brokers, {} partitions, {} orders a second, {} services\n\n"
      "try      kraftsim run {}                    what becomes of the orders, in a second or two\n"
      "         kraftsim run {} --set clients.order-service.config.acks=1\n"
      "         kraftsim run {} --set topics.{}.replication.factor=1 --set "
      "topics.{}.config.min.insync.replicas=1\n"
      "         kraftsim sweep {} --seeds 1-100    how often it fails\n"
      "         kraftsim explain clients.{}         what may stand there\n",
      options.file, wanted->brokers, wanted->partitions, wanted->orders_per_second, wanted->services.size(),
      file, file, file, wanted->topic, wanted->topic, file, wanted->services.front());
  tell(stdout, said);
  return number(ExitCode::held);
}

int import_command(const ImportOptions& options, const Terminal& terminal) {
  if (!options.out.empty()) {
    if (const auto problem = in_the_way(options.out, options.force)) return refuse({*problem}, terminal);
  }
  const Result<importer::Imported> imported = import_files(options);
  if (!imported) return refuse(imported.problems(), terminal);
  std::string said =
      fmt::format("{}: {}\n", options.out.empty() ? "the scenario" : printable(options.out),
                  contents_of(imported->plan)) +
      printable(left_out_list(imported->plan.left_out)) +
      "assumed  how many orders come, and how long a service needs for one: look for \"assumed\" in it\n";
  if (options.out.empty()) {
    print(stdout, imported->text);
    tell(stderr, said);
    return number(ExitCode::held);
  }
  if (const auto failed = sweep::write_whole(options.out, imported->text)) return refuse({*failed}, terminal);
  tell(stdout, said + fmt::format("try      kraftsim run {}\n", report::shell_word(options.out)));
  return number(ExitCode::held);
}

}  // namespace sim::app
