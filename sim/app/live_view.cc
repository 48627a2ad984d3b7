#include "app/live_view.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/render_problems.h"
#include "app/say.h"
#include "app/signals.h"
#include "base/human.h"
#include "cluster/cluster.h"
#include "observe/partition_map.h"
#include "play/run_plan.h"
#include "record/run_record.h"
#include "report/words.h"

namespace sim::app {
namespace {

using WallClock = std::chrono::steady_clock;

constexpr auto kFrame = std::chrono::milliseconds(100);
constexpr std::int64_t kFastest = 10'000;
constexpr std::size_t kMostCopies = 64;

// Who leads each partition and who is in sync, as the active controller says.
class PartitionStates final : public observe::Observer {
 public:
  struct State {
    bool is_known = false;
    NodeId leader = kNoNode;
    std::size_t isr = 0;
    std::size_t replicas = 0;
    std::int64_t changes = 0;
  };

  void on(const observe::Observation& seen) override {
    if (const auto* const changed = std::get_if<observe::PartitionChanged>(&seen.fact)) {
      State& state = states_[changed->tp];
      state.is_known = true;
      if (state.leader != changed->leader) ++state.changes;
      state.leader = changed->leader;
      state.isr = changed->isr.size();
      state.replicas = changed->replicas.size();
    }
  }
  const observe::PartitionMap<State>& states() const { return states_; }

 private:
  observe::PartitionMap<State> states_;
};

// A world with what is kept of it; a copy is watched by its own.
class WatchedRun {
 public:
  explicit WatchedRun(const scenario::Scenario& scenario)
      : world_(scenario.cluster), record_(play::record_spec(scenario, world_.names())) {
    observe();
  }
  WatchedRun(const WatchedRun& other)
      : world_(other.world_), record_(other.record_), partitions_(other.partitions_) {
    observe();
  }
  WatchedRun& operator=(const WatchedRun&) = delete;

  // False: there is nothing more to play before that.
  void play_until(Instant at) {
    world_.set_time_limit(at);
    while (world_.step()) {
    }
  }

  Instant now() const { return world_.now(); }
  const cluster::Cluster& world() const { return world_; }
  const record::RunRecord& record() const { return record_; }
  const PartitionStates& partitions() const { return partitions_; }

 private:
  void observe() {
    world_.observe(record_);
    world_.observe(partitions_);
  }

  cluster::Cluster world_;
  record::RunRecord record_;
  PartitionStates partitions_;
};

// The past of a run, to step back into.
class Copies {
 public:
  struct Copy {
    Instant at;
    std::unique_ptr<WatchedRun> run;
  };

  // If there are too many, every second one of the older half goes.
  void keep(Instant at, const WatchedRun& run) {
    if (!copies_.empty() && copies_.back().at >= at) return;
    copies_.push_back({at, std::make_unique<WatchedRun>(run)});
    if (copies_.size() <= kMostCopies) return;
    for (std::size_t i = 1; i < kMostCopies / 4; ++i)
      copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  // The last one that is not later; the later ones are forgotten. REQUIRES: one was kept at 0
  Instant back_to(Instant at, std::unique_ptr<WatchedRun>& run) {
    while (copies_.size() > 1 && copies_.back().at > at) copies_.pop_back();
    run = std::make_unique<WatchedRun>(*copies_.back().run);
    return copies_.back().at;
  }

 private:
  std::deque<Copy> copies_;  // by time
};

// Keys come one by one and unseen, what stood on the screen comes back in the end.
class RawTerminal {
 public:
  RawTerminal() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    print(stdout, "\x1b[?1049h\x1b[?25l");
  }
  ~RawTerminal() {
    print(stdout, "\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  static std::size_t rows() {
    winsize size{};
    const bool is_told = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 5;
    return is_told ? size.ws_row : 24;
  }
  static std::size_t columns() {
    winsize size{};
    const bool is_told = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
    return is_told ? size.ws_col : 80;
  }

  // What was typed until then; waits no longer than that.
  static std::string keys(int most_ms) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, most_ms) <= 0) return "";
    char typed[32];
    const ssize_t many = ::read(STDIN_FILENO, typed, sizeof typed);
    if (many <= 0) return "q";  // the terminal is gone
    return std::string(typed, static_cast<std::size_t>(many));
  }

 private:
  termios before_{};
};

std::string bar_of(std::size_t filled, std::size_t of) {
  std::string bar;
  for (std::size_t i = 0; i < of; ++i) bar += i < filled ? "#" : ".";
  return bar;
}

class LiveView {
 public:
  LiveView(const scenario::Scenario& scenario, std::int64_t speed, std::optional<Duration> until)
      : scenario_(scenario),
        speed_(std::clamp<std::int64_t>(speed, 1, kFastest)),
        load_ends_(Instant{} + scenario.duration),
        last_(until ? Instant{} + *until : load_ends_ + scenario.drain),
        run_(std::make_unique<WatchedRun>(scenario)) {
    copies_.keep(Instant{}, *run_);
  }

  void watch() {
    const RawTerminal terminal;
    WallClock::time_point drawn = WallClock::now();
    while (!is_left_ && !is_interrupted()) {
      draw();
      const auto until = drawn + kFrame;
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - WallClock::now());
      obey(RawTerminal::keys(static_cast<int>(std::max<std::int64_t>(wait.count(), 0))));
      const WallClock::time_point now = WallClock::now();
      if (now < until) continue;
      // However slow the machine is, a frame shows as much as it should have: the view falls behind, not the
      // run.
      if (!is_paused_) go_on(Duration{std::chrono::nanoseconds(kFrame).count() * speed_});
      drawn = now;
    }
  }

 private:
  static constexpr Duration kStep{1'000'000'000};

  bool is_over() const { return position_ >= last_ || (position_ >= load_ends_ && run_->record().settled()); }

  void go_on(Duration by) {
    const Instant to = std::min(position_ + by, last_);
    while (position_ < to && !is_over()) {
      const Instant next_copy = Instant{} + kStep * (nanos(position_) / nanos(kStep) + 1);
      position_ = std::min(to, next_copy);
      run_->play_until(position_);
      if (position_ == next_copy) copies_.keep(position_, *run_);
    }
    if (is_over()) is_paused_ = true;
  }

  void step_back() {
    is_paused_ = true;
    const Instant wanted = std::max(Instant{}, position_ - kStep);
    position_ = copies_.back_to(wanted, run_);
    if (position_ < wanted) {  // copies far back lie apart: the rest is played again
      run_->play_until(wanted);
      position_ = wanted;
    }
  }

  void obey(std::string_view keys) {
    while (!keys.empty()) {
      if (keys.starts_with("\x1b[D") || keys.starts_with("\x1b[C")) {
        keys[2] == 'D' ? step_back() : step_forward();
        keys.remove_prefix(3);
        continue;
      }
      switch (keys.front()) {
        case ' ': is_paused_ = !is_paused_; break;
        case 'q': is_left_ = true; break;
        case 'b': step_back(); break;
        case 'f': step_forward(); break;
        case '+': speed_ = std::min(speed_ * 2, kFastest); break;
        case '-': speed_ = std::max<std::int64_t>(speed_ / 2, 1); break;
        default: break;
      }
      keys.remove_prefix(1);
    }
  }

  void step_forward() {
    is_paused_ = true;
    go_on(kStep);
  }

  // ---- What is shown

  void draw() const {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{}   seed {}   {} of {}   {}", scenario_.name, scenario_.seed,
                                fmt::format("{} s", fixed(nanos(position_) / 100'000'000, 1)),
                                human_duration(nanos(scenario_.duration)), state()));
    lines.push_back(
        "space: pause   b: a second back   f: a second on   + -: speed   q: enough, on to the results");
    lines.push_back("");
    lines.push_back("faults       " + faults());
    lines.push_back("controller   " + controller());
    lines.push_back("orders       " + orders());
    lines.push_back("cluster      " + cluster_words());
    add_lag(lines);
    add_partitions(lines);
    std::string screen = "\x1b[H";
    const std::size_t rows = RawTerminal::rows() - 1;
    const std::size_t columns = RawTerminal::columns();
    for (std::size_t i = 0; i < lines.size() && i < rows; ++i)
      screen += printable(lines[i]).substr(0, columns) + "\x1b[K\n";
    print(stdout, screen + "\x1b[J");
    std::fflush(stdout);
  }

  std::string state() const {
    if (is_over()) return "the end (b goes back, q goes on to the results)";
    return is_paused_ ? "paused" : fmt::format("{}x real time", speed_);
  }

  std::string faults() const {
    std::string words;
    const auto& names = run_->world().names();
    for (const auto& strike : run_->record().timeline().strikes()) {
      if (strike.to != metrics::kStillLasts) continue;  // it is over
      std::string touched;
      for (const ProcessId process : strike.touched)
        touched += " " + names.processes[static_cast<std::size_t>(process.value())];
      words += (words.empty() ? "" : "; ") + names.faults[static_cast<std::size_t>(strike.fault.value())] +
               ":" + (touched.empty() ? " nobody" : touched) + ", since " + human_duration(strike.from);
    }
    return words.empty() ? "none at present" : words;
  }

  std::string controller() const {
    const auto& changes = run_->record().timeline().controllers();
    ProcessId active = kNoProcess;
    for (const auto& change : changes) {
      if (change.active) active = change.process;
      if (!change.active && change.process == active) active = kNoProcess;
    }
    return active == kNoProcess ? std::string("none is active")
                                : run_->world().names().processes[static_cast<std::size_t>(active.value())];
  }

  const metrics::Series::Row* last_second() const {
    const auto& rows = run_->record().series().rows();
    return rows.empty() ? nullptr : &rows.back();
  }

  std::string orders() const {
    const auto* const row = last_second();
    if (row == nullptr) return "none yet";
    return fmt::format("{} placed/s   {} acknowledged/s   {} fulfilled/s   {} failed/s   {} in flight",
                       row->placed, row->acknowledged, row->fulfilled, row->failed, row->in_flight);
  }

  std::string cluster_words() const {
    const auto* const row = last_second();
    if (row == nullptr) return "starting";
    return fmt::format("{} messages in/s   {}/s   {} under-replicated partitions", row->messages_in,
                       human_bytes(row->bytes_in), row->under_replicated);
  }

  void add_lag(std::vector<std::string>& lines) const {
    const auto* const row = last_second();
    const auto& groups = run_->world().names().groups;
    for (std::size_t i = 0; row != nullptr && i < groups.size() && i < row->lag.size(); ++i) {
      const auto& lag = row->lag[i];
      const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(lag.ns / 250'000'000, 0, 40));
      lines.push_back(fmt::format("{:<13}{:<40}  {} behind, {} records", (i == 0 ? "lag" : ""),
                                  bar_of(filled, 40), lag.ns == 0 ? "0" : human_duration(lag.ns),
                                  lag.offsets) +
                      "  " + groups[i]);
    }
  }

  // Those without a leader first, then those that lack replicas, then those that changed most.
  void add_partitions(std::vector<std::string>& lines) const {
    struct Row {
      int rank = 0;
      std::int64_t changes = 0;
      std::string words;
    };
    std::vector<Row> rows;
    run_->partitions().states().for_each([&](TopicPartition tp, const PartitionStates::State& state) {
      if (!state.is_known) return;
      const std::string name = run_->record().topics()[tp];
      if (name.starts_with("__")) return;
      const bool has_leader = state.leader != kNoNode;
      rows.push_back({!has_leader                  ? 0
                      : state.isr < state.replicas ? 1
                                                   : 2,
                      state.changes,
                      fmt::format("{:<24}{:<12}  ISR {} {} of {}", name,
                                  has_leader ? fmt::format("broker-{}", state.leader.value()) : "no leader",
                                  bar_of(state.isr, state.replicas), state.isr, state.replicas)});
    });
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return std::pair(a.rank, -a.changes) < std::pair(b.rank, -b.changes);
    });
    lines.push_back("");
    lines.push_back(
        fmt::format("{:<24}{:<12}  in sync", fmt::format("partitions ({})", rows.size()), "leader"));
    for (const Row& row : rows) lines.push_back(row.words);
  }

  const scenario::Scenario& scenario_;
  std::int64_t speed_;  // times real time
  Instant load_ends_;
  Instant last_;
  std::unique_ptr<WatchedRun> run_;
  Copies copies_;
  Instant position_{};  // how far it is shown: events beyond the last one included
  bool is_paused_ = false;
  bool is_left_ = false;
};

bool is_a_terminal() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 &&
         (kind == nullptr || std::string_view(kind) != "dumb");
}

}  // namespace

std::optional<Problem> watch_run(const scenario::Scenario& scenario, std::int64_t speed,
                                 std::optional<Duration> until) {
  if (!is_a_terminal()) {
    return report::problem_with("", "run: --watch needs a terminal to show the run in, and for your keys",
                                "without --watch the run is played at once, and its results are the same");
  }
  LiveView(scenario, speed, until).watch();
  return std::nullopt;
}

}  // namespace sim::app
