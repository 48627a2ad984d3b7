#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.h"
#include "judge/summary.h"
#include "observe/names.h"
#include "observe/observation.h"
#include "record/run_record.h"
#include "report/output_files.h"
#include "scenario/scenario.h"
#include "trace/event_log.h"

// The record of a run and the lines of its trace, and the folder they become. Order of use: open() before
// anything is played, observe, finish(). Nothing is written before finish(), but for the lines of a trace:
// these go at once where they stay, into the folder aside that is put in place in the end.
namespace sim::app {

struct RecordingOptions {
  std::filesystem::path folder;  // where the results go; empty: nobody asked for files, and none is made
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

  void on(const observe::Observation& observation) override {
    record_.on(observation);
    if (event_log_) event_log_->on(observation);
  }
  bool wants_messages() const override { return event_log_ && event_log_->wants_messages(); }

  const record::RunRecord& record() const { return record_; }

  // Computes the result and puts all files in place. Whatever becomes of the files, there is a result; what
  // went wrong with them says not_written().
  judge::Summary finish(judge::RunEnd end);
  // The first problem of writing the files; nullopt: all are in place, or none were asked for.
  const std::optional<Problem>& not_written() const { return not_written_; }

  const std::filesystem::path& folder() const { return options_.folder; }
  // Since open().
  Duration wall_time() const;

 private:
  Recording(const scenario::Scenario& scenario, const observe::Names& names, const RecordingOptions& options);

  std::optional<Problem> write_folder(const judge::Summary& summary);
  std::optional<Problem> write_inputs(report::OutputFolder& output) const;
  std::string manifest_json(const judge::Summary& summary,
                            const std::map<std::string, report::OutputFolder::Entry>& files) const;
  std::string host_json(const judge::Summary& summary) const;

  scenario::Scenario scenario_;
  RecordingOptions options_;
  record::RunRecord record_;
  std::unique_ptr<report::OutputFolder> output_;  // while a trace is written to it, or its files are
  std::optional<trace::EventLog> event_log_;      // none when the trace is off
  std::optional<Problem> not_written_;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
};

}  // namespace sim::app
