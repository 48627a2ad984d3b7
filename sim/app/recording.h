#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "app/fault_report.h"
#include "app/output_files.h"
#include "app/summary.h"
#include "base/result.h"
#include "check/all_invariants.h"
#include "metrics/cluster_timeline.h"
#include "metrics/order_ledger.h"
#include "metrics/series.h"
#include "observe/names.h"
#include "observe/observation.h"
#include "scenario/scenario.h"
#include "trace/event_log.h"
#include "trace/leadership.h"
#include "trace/meaning.h"

// All that is kept of a run, behind one observer: ledger, series, invariants, leadership, trace; and the
// files they become. Order of use: open() before anything is played, observe, finish().
namespace sim::app {

struct RecordingOptions {
  std::filesystem::path folder;  // where the results go
  std::filesystem::path link;    // made to point to it; empty = none
  trace::Level trace = trace::Level::off;
  bool force = false;
};

// runs/<scenario>/<seed>, and the link runs/latest.
RecordingOptions default_places(const scenario::Scenario& scenario);

class Recording final : public observe::Observer {
 public:
  // Fails, and changes nothing, if the results could not be written there.
  static Result<std::unique_ptr<Recording>> open(const scenario::Scenario& scenario,
                                                 const observe::Names& names,
                                                 const RecordingOptions& options);

  void on(const observe::Observation& observation) override;
  bool wants_messages() const override { return event_log_ != nullptr && event_log_->wants_messages(); }

  // Every order has ended, and every group has committed all there is.
  bool settled() const;

  // Computes the result and puts all files in place.
  Result<Summary> finish(RunEnd end);

  const std::filesystem::path& folder() const { return options_.folder; }
  // Since open().
  Duration wall_time() const;

 private:
  Recording(const scenario::Scenario& scenario, const observe::Names& names, const RecordingOptions& options,
            std::unique_ptr<OutputFolder> output);

  void write_files(const Summary& summary);
  void write_histograms();
  std::string manifest_json(const Summary& summary,
                            const std::map<std::string, OutputFolder::Entry>& files) const;
  std::string host_json(const Summary& summary) const;

  scenario::Scenario scenario_;
  observe::Names names_;
  RecordingOptions options_;
  std::unique_ptr<OutputFolder> output_;
  observe::TopicNames topics_;
  metrics::OrderLedger ledger_;
  metrics::Series series_;
  metrics::ClusterTimeline timeline_;
  check::AllInvariants invariants_;
  trace::Leadership leadership_;
  trace::Meaning meaning_;
  std::unique_ptr<trace::EventLog> event_log_;  // null when the trace is off
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
};

}  // namespace sim::app
