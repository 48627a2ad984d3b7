#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/options.h"
#include "base/check.h"
#include "report/words.h"

namespace {

// The command as it was typed, to be pasted back into a shell.
std::string typed(int argc, const char* const* argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i == 0 ? "" : " ") + sim::report::shell_word(argv[i]);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return sim::app::after_output(sim::app::carry_out(sim::app::parse_args(argc, argv)));
  } catch (const sim::InternalError& bug) {
    std::fprintf(stderr, "kraftsim: a bug of the simulator, not of your cluster: %s\n", bug.what());
  } catch (const std::bad_alloc&) {
    std::fprintf(
        stderr,
        "kraftsim: out of memory: this machine has not enough for the scenario; fewer partitions, members or "
        "orders need less\n");
    return sim::app::number(sim::app::ExitCode::no_resources);
  } catch (const std::exception& unexpected) {
    std::fprintf(stderr, "kraftsim: something unforeseen: %s\n", unexpected.what());
  }
  std::fprintf(stderr, "repro: %s\n", typed(argc, argv).c_str());
  return sim::app::number(sim::app::ExitCode::internal);
}
