#pragma once

namespace sim::app {

enum class ExitCode : int {
  held = 0,               // every expectation and invariant held
  failed = 1,             // an expectation or invariant of the simulated system failed
  usage = 2,              // usage or scenario error; nothing was run. Of replay: the run's files were changed
  inconclusive = 3,       // a fault touched nothing, too few samples, event budget reached
  not_deterministic = 4,  // replay, --check-determinism
  internal = 5,           // a bug of the simulator
  no_resources = 6,       // the machine ran out of memory
  not_written = 7,        // the results, or what a command says, could not be written
  interrupted = 130,      // SIGINT: partial results are written and marked partial
  terminated = 143,       // SIGTERM, likewise
};

constexpr int number(ExitCode code) {
  return static_cast<int>(code);
}

}  // namespace sim::app
