#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Processes that play seeds, one at a time each. A seed that kills its process costs no other: the process is
// replaced.
namespace sim::sweep {

struct Task {
  std::size_t configuration = 0;
  std::uint64_t seed = 0;
};

class Workers {
 public:
  // `play` is called in a worker's process; what it returns is handed to who waits. It must hold no line
  // feed.
  Workers(std::size_t count, std::function<std::string(const Task&)> play);
  // Ends them, whatever they are doing.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool has_idle() const;
  bool has_busy() const;
  // REQUIRES: has_idle(). False: no process could be started, and why.
  bool start(const Task& task, std::string& why_not);

  struct Finished {
    Task task;
    std::string answer;  // of `play`
    std::string death;   // how the process ended instead: "signal 11 (Segmentation fault)"; empty: it lives
  };
  // Those that have finished by now; waits for the first one, but not longer than so many milliseconds.
  std::vector<Finished> wait(int most_ms);

 private:
  struct Worker {
    int process = -1;
    int socket = -1;  // ours; -1: not running
    bool is_busy = false;
    Task task;
    std::string heard;  // of its answer
  };

  bool fork_into(Worker& worker, std::string& why_not);
  [[noreturn]] void work(int socket);
  void end(Worker& worker);
  static std::string death_of(Worker& worker);

  std::function<std::string(const Task&)> play_;
  std::vector<Worker> workers_;
};

}  // namespace sim::sweep
