#include "app/completion.h"

#include <fmt/format.h>

#include <vector>

#include "app/list.h"
#include "app/options.h"
#include "base/human.h"
#include "report/words.h"

namespace sim::app {

namespace {

std::vector<std::string> names_of(const std::vector<CommandWords>& commands) {
  std::vector<std::string> names;
  for (const CommandWords& command : commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> flags_of(const CommandWords& command) {
  std::vector<std::string> flags;
  for (const OptionWords& option : command.options) flags.push_back(option.flag);
  return flags;
}

std::vector<std::string> builtin_words() {
  std::vector<std::string> words;
  for (const std::string& name : builtin_scenarios()) words.push_back("@" + name);
  return words;
}

// Bash completes by a function; zsh can use the same one after bashcompinit.
std::string bash() {
  const std::vector<CommandWords> commands = command_words();
  std::string text = "# kraftsim: eval \"$(kraftsim completion bash)\"\n_kraftsim() {\n";
  text +=
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n  "
      "COMPREPLY=()\n";
  text += "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W " +
          report::in_single_quotes(joined(names_of(commands)) + " --help --version") +
          " -- \"$cur\"))\n    return\n  fi\n";
  text += "  case \"$command $prev\" in\n";
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      if (option.values.empty()) continue;
      text += fmt::format("    '{} {}') COMPREPLY=($(compgen -W {} -- \"$cur\")); return ;;\n", command.name,
                          option.flag, report::in_single_quotes(joined(option.values)));
    }
  }
  text += "  esac\n  case \"$command\" in\n";
  for (const CommandWords& command : commands) {
    const bool scenarios = command.name == "run" || command.name == "check";
    const std::string words = joined(command.arguments) + (scenarios ? joined(builtin_words()) : "");
    text += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$cur\")", command.name,
                        report::in_single_quotes(words + " " + joined(flags_of(command))));
    if (command.takes_files) text += " $(compgen -f -- \"$cur\")";
    text += ") ;;\n";
  }
  return text +
         "  esac\n}\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//@/}\ncomplete -o filenames -F _kraftsim kraftsim "
         "./kraftsim\n";
}

std::string zsh() {
  return "# kraftsim: eval \"$(kraftsim completion zsh)\"\nautoload -U +X bashcompinit && bashcompinit\n" +
         bash();
}

std::string fish() {
  const std::vector<CommandWords> commands = command_words();
  std::string text = "# kraftsim: kraftsim completion fish | source\ncomplete -c kraftsim -f\n";
  for (const CommandWords& command : commands) {
    text += fmt::format("complete -c kraftsim -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        report::in_single_quotes(command.meaning));
    const std::string when = report::in_single_quotes("__fish_seen_subcommand_from " + command.name);
    if (command.takes_files) text += fmt::format("complete -c kraftsim -n {} -F\n", when);
    if (command.name == "run" || command.name == "check")
      text += fmt::format("complete -c kraftsim -n {} -a {}\n", when,
                          report::in_single_quotes(joined(builtin_words())));
    if (!command.arguments.empty())
      text += fmt::format("complete -c kraftsim -n {} -a {}\n", when,
                          report::in_single_quotes(joined(command.arguments)));
    for (const OptionWords& option : command.options) {
      text += fmt::format("complete -c kraftsim -n {} -l {} -d {}", when, option.flag.substr(2),
                          report::in_single_quotes(option.meaning));
      if (!option.values.empty()) text += " -x -a " + report::in_single_quotes(joined(option.values));
      if (option.values.empty() && option.takes_value) text += " -r";
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  return shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
}

}  // namespace sim::app
