#include "app/manual.h"

#include "app/options.h"
#include "report/run_files.h"

namespace sim::app {
namespace {

// scdoc takes these for markup.
std::string plain(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '*' || c == '_' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string entry(const std::string& head, const std::string& meaning) {
  return head + "\n\t" + plain(meaning) + ".\n\n";
}

std::string option_head(const OptionWords& option) {
  return "*" + plain(option.flag) + "*" + (option.value_name.empty() ? "" : " " + plain(option.value_name));
}

bool is_of_all(const OptionWords& option) {
  return option.flag == "--color" || option.flag == "--help";
}

}  // namespace

std::string manual_page() {
  const std::vector<CommandWords> commands = command_words();
  std::string text =
      "kraftsim(1)\n\n# NAME\n\nkraftsim - plays Apache Kafka (KRaft) in simulated time\n\n# SYNOPSIS\n\n"
      "*kraftsim* _command_ [_options_]\n\n# DESCRIPTION\n\n"
      "A scenario (YAML) describes a cluster, an order flow, the services behind it, faults and what is "
      "expected. "
      "kraftsim plays it in simulated time and leaves a verdict, the time of each stage of each order, "
      "metrics "
      "and charts. The same scenario and seed give the same bytes.\n\n"
      "*kraftsim run @order-flow* plays a scenario that comes along, *kraftsim list* names them all.\n\n# "
      "COMMANDS\n\n";
  for (const CommandWords& command : commands) {
    text += "## " + plain(command.usage) + "\n\n" + plain(command.meaning) + ".\n\n";
    for (const auto& [name, meaning] : command.positionals) text += entry("_" + plain(name) + "_", meaning);
    for (const OptionWords& option : command.options) {
      if (is_of_all(option)) continue;
      std::string values;
      for (const std::string& value : option.values) values += (values.empty() ? " (" : ", ") + value;
      // Values that the meaning names already are not named twice.
      const bool is_named =
          option.values.empty() || option.meaning.find(option.values.front()) != std::string::npos;
      text += entry(option_head(option), option.meaning + (is_named ? "" : values + ")"));
    }
  }
  text += "# OPTIONS EVERYWHERE\n\n" + entry("*--color* WHEN", "Colours: auto, always or never") +
          entry("*--help*", "What a command takes") + "# FILES OF A RUN\n\n";
  for (const report::RunFile& file : report::run_files()) {
    std::string meaning(file.meaning);
    while (meaning.ends_with('.')) meaning.pop_back();
    text += entry("_" + plain(file.name) + "_", meaning);
  }
  return text +
         "# EXIT STATUS\n\n"
         "0 all held, 1 an expectation or invariant failed, 2 usage or scenario error, 3 inconclusive, 4 not "
         "deterministic, 5 a bug of kraftsim, 6 out of memory, 7 results could not be written, 130 and 143 "
         "interrupted.\n\n"
         "# ENVIRONMENT\n\nNO\\_COLOR, CLICOLOR\\_FORCE and TERM decide about colours as usual.\n";
}

}  // namespace sim::app
