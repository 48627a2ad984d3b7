#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "report/held_lock.h"
#include "report/sha256.h"
#include "trace/event_log.h"

// The folder of a run: written aside, then put in place as a whole.
//
// Nothing under the wanted path changes before publish(): an earlier result stays what it was if the run
// fails, the disk is full or the program is killed. What stands there is replaced without asking only if it
// is a result of the same scenario and seed; files that kraftsim did not write are kept in any case. What a
// run that was killed has left aside goes when the next one writes to the same place.
//
// Several may write to one place at once. The first to publish wins; one that had found the place free says
// that it is not any more, and leaves it alone.
namespace sim::report {

// Whose result a folder holds.
struct RunIdentity {
  std::string scenario;
  std::uint64_t seed = 0;
};

class OutputFile final : public trace::Sink {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile() override;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes) override;
  // Writes out what is buffered. An error of any write so far is reported here.
  std::optional<Problem> close();

  std::string sha256() { return sha_.finish(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void note_error();

  std::filesystem::path path_;
  std::FILE* file_;
  int error_ = 0;
  Sha256 sha_;
  std::uint64_t bytes_ = 0;
};

class OutputFolder {
 public:
  // Whether `out` may be replaced, and whether anything could be written there. Changes nothing.
  static std::optional<Problem> check(const std::filesystem::path& out, const RunIdentity& run, bool force);
  // The same, and makes the folder in which files are written first.
  static Result<std::unique_ptr<OutputFolder>> create(const std::filesystem::path& out,
                                                      const RunIdentity& run, bool force);
  // Removes what was not published.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return out_; }

  // Where the files are until they are published.
  const std::filesystem::path& written_to() const { return aside_; }

  // Opens a file below the folder; it lives until publish().
  OutputFile& open(const std::string& name);
  void write(const std::string& name, std::string_view content) { open(name).write(content); }

  struct Entry {
    std::string sha256;
    std::uint64_t bytes = 0;
  };
  // Closes all files opened so far and tells their sums, by name.
  Result<std::map<std::string, Entry>> seal();
  // Puts the folder in its place. REQUIRES: everything is sealed
  std::optional<Problem> publish();

 private:
  OutputFolder(std::filesystem::path out, std::filesystem::path aside, std::filesystem::path above,
               bool was_free);

  std::optional<Problem> put_in_place();

  std::filesystem::path out_;
  std::filesystem::path aside_;  // where it is written first; empty once published
  std::filesystem::path above_;  // the nearest folder that was there before
  bool was_free_;                // nothing stood in its place when it was created
  HeldLock in_use_;              // on `aside_`, so that nobody takes it for a left-over
  std::map<std::string, std::unique_ptr<OutputFile>> files_;
};

// The run whose complete result a folder holds; nullopt if it is not kraftsim's.
std::optional<RunIdentity> identify_run(const std::filesystem::path& folder);

// Makes `link` (runs/latest) point to `folder`, relative to where the link stands. False if it could not.
bool point_link(const std::filesystem::path& link, const std::filesystem::path& folder);

}  // namespace sim::report
