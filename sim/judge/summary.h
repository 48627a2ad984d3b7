#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fault/fault.h"
#include "judge/convergence.h"
#include "judge/evaluate.h"
#include "judge/fault_report.h"
#include "judge/group_metrics.h"
#include "judge/measured_run.h"
#include "judge/statistic.h"
#include "judge/verdicts.h"
#include "record/run_record.h"

// The result of a run: one object, of which summary.json, summary.txt and the console's text are renderings
// (room report). Nothing in it depends on the machine or on how long the run took.
namespace sim::judge {

// What a run was to show: of its scenario as much as a verdict needs.
struct RunPlan {
  std::string scenario;
  std::string scenario_file;
  std::string about;
  std::uint64_t seed = 0;
  Duration duration{};
  Duration warmup{};
  fault::Schedule faults;
  std::vector<Expectation> expectations;
  std::vector<std::string> invariants_off;  // each with its reason
  std::vector<Duration> linger_of_flow{};   // linger.ms of its producer, by FlowId
};

enum class StopReason : std::uint8_t {
  settled,     // every order has ended and every group has committed
  time_limit,  // the drain was over first
  until,       // --until was, and more would have come
  event_budget,
  interrupted,  // SIGINT or SIGTERM
};
const char* name(StopReason reason);
// The run was cut before its own end: what is still open then is nobody's fault.
bool is_cut(StopReason reason);

struct RunEnd {
  Instant end{};
  StopReason reason = StopReason::settled;
  std::uint64_t events = 0;
  std::uint64_t fingerprint = 0;  // of the events as they were played
  std::uint64_t meaning = 0;      // of what they meant: trace::Meaning
  std::string repro;              // the command that shows the run again
  std::string scenario_sha256;    // of the scenario's file; empty: nobody asked
};

struct JudgedExpectation {
  Expectation expectation;
  Measured measured;
  Verdict verdict = Verdict::inconclusive;
};

struct OrderCounts {  // placed = fulfilled + failed + lost + open
  std::uint64_t placed = 0;
  std::uint64_t fulfilled = 0;
  std::uint64_t failed = 0;
  std::uint64_t lost = 0;
  std::uint64_t open = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t retried = 0;
  std::uint64_t failed_yet_handled = 0;  // the producer reported an error, but some service has done it
};

struct ServiceSummary {
  std::string name;
  std::uint64_t done = 0;               // orders
  std::uint64_t done_again = 0;         // orders done more than once
  std::uint64_t duplicate_effects = 0;  // times beyond the first
  std::uint64_t lost = 0;
  Distribution latency;  // intended until done
};

struct StageShare {  // over fulfilled orders, on the way to their last service
  std::int64_t mean = 0;
  std::int64_t share_milli_percent = 0;  // of the mean latency
};

struct Slowest {
  std::string flow;
  std::int64_t order = 0;
  std::int64_t latency = 0;
  metrics::Outcome outcome = metrics::Outcome::open;
  metrics::Stage stage = metrics::Stage::service;  // that took most of it
  bool without_leader = false;  // in Stage::linger: for most of it nobody led the partition
  bool beyond_linger = false;   // in Stage::linger: longer than linger.ms, so it waited to be sent
  std::int64_t in_stage = 0;
  std::string service;  // on whose way; empty if no service was to do it
};

struct Summary {
  std::string scenario;
  std::string scenario_file;
  std::string about;
  std::uint64_t seed = 0;
  Duration duration{};
  Duration warmup{};
  RunEnd end;
  Verdict verdict = Verdict::ok;
  std::vector<JudgedExpectation> expectations;
  std::vector<check::Violation> violations;  // the first of each invariant
  std::vector<std::string> invariants_off;   // that the scenario does not ask for, each with its reason
  std::vector<OutcomeVerdict> outcomes;
  std::vector<FaultReport> faults;
  OrderCounts orders;
  Distribution e2e;  // of orders intended after the warm-up, as are all latencies
  Distribution produce;
  std::vector<ServiceSummary> services;
  std::vector<GroupSummary> groups;
  std::array<StageShare, metrics::kStages> stages{};
  std::optional<Slowest> slowest;
  std::optional<Unconverged> unconverged{};  // if an expectation asks for it, and the run was not cut

  bool partial() const { return end.reason == StopReason::interrupted; }
};

// REQUIRES: `record` is finished
Summary summarize(const RunPlan& plan, const record::RunRecord& record, const RunEnd& end);

// Orders were lost, and nothing was expected of the run that could say whether they may be.
bool lost_and_expected_nothing(const Summary& summary);

// 0, 1 or 3, as the command line reports it; an interruption is the caller's to report.
int exit_code(const Summary& summary);

std::string fingerprint_text(std::uint64_t fingerprint);  // 16 hexadecimal digits

}  // namespace sim::judge
