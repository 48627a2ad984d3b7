#include "report/output_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "report/chart_names.h"
#include "report/words.h"

namespace sim::report {
namespace fs = std::filesystem;
namespace {

// Absolute and without a slash at its end.
fs::path place_of(const fs::path& out) {
  const fs::path place = fs::absolute(out).lexically_normal();
  return place.has_filename() ? place : place.parent_path();
}

nlohmann::json read_manifest(const fs::path& folder) {
  std::ifstream in(folder / "manifest.json");
  return in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
}

// What of a published folder kraftsim wrote, and `kraftsim plot`: it goes when the result is replaced.
class OwnFiles {
 public:
  explicit OwnFiles(const fs::path& folder) : files_{"manifest.json", "host.json", "report.html"} {
    const nlohmann::json manifest = read_manifest(folder);
    if (manifest.is_object() && manifest.contains("files") && manifest["files"].is_object()) {
      for (const auto& [name, entry] : manifest["files"].items()) files_.insert(name);
    }
    for (const std::string& chart : chart_files()) files_.insert("charts/" + chart);
  }
  bool has(const fs::path& file) const { return files_.count(file.generic_string()) != 0; }
  bool has_below(const fs::path& folder) const {
    const auto next = files_.lower_bound(folder.generic_string() + "/");
    return next != files_.end() && next->starts_with(folder.generic_string() + "/");
  }

 private:
  std::set<std::string> files_;
};

// Moves what the user keeps below `within` of an earlier result to the new one. What has the name of one of
// its files is kept under a name of its own.
void carry_over(const fs::path& earlier, const fs::path& fresh, const fs::path& within, const OwnFiles& own,
                std::error_code& error) {
  std::vector<fs::directory_entry> entries;
  for (const auto& entry : fs::directory_iterator(earlier / within, error)) entries.push_back(entry);
  for (const fs::directory_entry& entry : entries) {
    if (error) return;
    const fs::path name = within / entry.path().filename();
    const bool is_folder = fs::is_directory(entry.symlink_status());
    const bool is_new_name = !fs::exists(fs::symlink_status(fresh / name));
    if (is_folder && (own.has_below(name) || !is_new_name)) {
      carry_over(earlier, fresh, name, own, error);
    } else if (!own.has(name)) {
      fs::create_directories(fresh / within, error);
      fs::path kept = fresh / name;
      while (fs::exists(fs::symlink_status(kept))) kept += ".kept";
      if (!error) fs::rename(entry.path(), kept, error);
    }
  }
}

constexpr std::string_view kPart = ".part-";
constexpr std::string_view kEarlier = ".earlier";

// Removes what runs to this place have left aside that were killed before they could. An earlier result that
// one of them had set aside comes back, or what the user kept in it does. REQUIRES: nobody else is about to
// make or publish one there
void clean_up_after_others(const fs::path& place) {
  std::error_code error;
  const std::string begin = "." + place.filename().string() + std::string(kPart);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(place.parent_path(), error)) {
    if (entry.path().filename().string().starts_with(begin)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());  // what was set aside comes after the folder beside it
  for (const fs::path& left : found) {
    const bool is_earlier = left.filename().string().ends_with(kEarlier);
    const HeldLock lock(left, HeldLock::Wait::no);
    if (!lock.is_held()) continue;  // a run that goes on, or nobody knows
    if (is_earlier && !fs::exists(place, error)) {
      fs::rename(left, place, error);
      continue;
    }
    if (is_earlier) carry_over(left, place, {}, OwnFiles(left), error);
    if (!error) fs::remove_all(left, error);
    error.clear();
  }
}

// Puts each file of `fresh` into a folder that is not ours, replacing what has its name.
void move_into(const fs::path& fresh, const fs::path& folder, std::error_code& error) {
  for (const auto& entry : fs::recursive_directory_iterator(fresh, error)) {
    const fs::path target = folder / entry.path().lexically_relative(fresh);
    if (entry.is_directory()) {
      fs::create_directories(target, error);
    } else {
      fs::rename(entry.path(), target, error);
    }
    if (error) return;
  }
  fs::remove_all(fresh, error);
}

// What of the way to a place is there already.
fs::path nearest_folder(const fs::path& place) {
  std::error_code error;
  fs::path nearest = place;
  while (!fs::exists(nearest, error) && nearest.has_relative_path()) nearest = nearest.parent_path();
  return nearest;
}

// Something stands there that is not an empty folder.
bool is_taken(const fs::path& place) {
  std::error_code error;
  if (!fs::exists(place, error)) return false;
  return !fs::is_directory(place, error) || !fs::is_empty(place, error);
}

}  // namespace

// ---- A file

OutputFile::OutputFile(const fs::path& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) note_error();
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) std::fclose(file_);
}

void OutputFile::note_error() {
  if (error_ == 0) error_ = errno == 0 ? EIO : errno;
}

void OutputFile::write(std::string_view bytes) {
  if (error_ != 0 || bytes.empty()) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) note_error();
  sha_.update(bytes);
  bytes_ += bytes.size();
}

std::optional<Problem> OutputFile::close() {
  if (file_ != nullptr && std::fclose(std::exchange(file_, nullptr)) != 0) note_error();
  if (error_ == 0) return std::nullopt;
  return problem_with(path_, std::string("cannot be written: ") + std::strerror(error_));
}

// ---- The folder

std::optional<RunIdentity> identify_run(const fs::path& folder) {
  const nlohmann::json manifest = read_manifest(folder);
  if (!manifest.is_object() || manifest.value("schema", "") != "kraftsim-manifest/1") return std::nullopt;
  const auto& scenario = manifest.find("scenario");
  const auto& seed = manifest.find("seed");
  if (scenario == manifest.end() || !scenario->is_object() || seed == manifest.end() ||
      !seed->is_number_unsigned()) {
    return std::nullopt;
  }
  return RunIdentity{scenario->value("name", ""), seed->get<std::uint64_t>()};
}

std::optional<Problem> OutputFolder::check(const fs::path& out, const RunIdentity& run, bool force) {
  std::error_code error;
  const fs::path place = place_of(out);
  if (!place.has_filename()) return problem_with(out, "the root folder cannot hold a run");
  if (fs::exists(place, error) && !fs::is_directory(place, error)) {
    return problem_with(out, "is a file, not a folder", "choose another one with --out DIR");
  }
  if (fs::is_directory(place, error) && !fs::is_empty(place, error) && !force) {
    const auto there = identify_run(place);
    if (!there)
      return problem_with(out, "holds files that are not a result of kraftsim",
                          "choose another folder, or add --force");
    if (there->scenario != run.scenario || there->seed != run.seed) {
      return problem_with(
          out, "holds the result of scenario " + there->scenario + ", seed " + std::to_string(there->seed),
          "choose another folder, or add --force");
    }
  }
  const fs::path nearest = nearest_folder(place);
  if (!fs::is_directory(nearest, error))
    return problem_with(out, std::string("cannot be created: ") + std::strerror(ENOTDIR));
  if (::access(nearest.c_str(), W_OK) != 0)
    return problem_with(out, std::string("cannot be written: ") + std::strerror(EACCES));
  return std::nullopt;
}

Result<std::unique_ptr<OutputFolder>> OutputFolder::create(const fs::path& out, const RunIdentity& run,
                                                           bool force) {
  if (auto problem = check(out, run, force)) return *problem;
  std::error_code error;
  const fs::path place = place_of(out);
  const fs::path aside = place.parent_path() /
                         ("." + place.filename().string() + std::string(kPart) + std::to_string(::getpid()));
  const fs::path above = nearest_folder(place);
  fs::create_directories(place.parent_path(), error);
  const HeldLock alone(place.parent_path(), HeldLock::Wait::yes);
  clean_up_after_others(place);
  if (!error) fs::create_directories(aside / "hist", error);
  if (error) return problem_with(out, "cannot be created: " + error.message());
  return std::unique_ptr<OutputFolder>(new OutputFolder(out, aside, above, !is_taken(place)));
}

OutputFolder::OutputFolder(fs::path out, fs::path aside, fs::path above, bool was_free)
    : out_(std::move(out)),
      aside_(std::move(aside)),
      above_(std::move(above)),
      was_free_(was_free),
      in_use_(aside_, HeldLock::Wait::no) {}

OutputFolder::~OutputFolder() {
  files_.clear();
  if (aside_.empty()) return;
  std::error_code error;
  fs::remove_all(aside_, error);
  // Folders that were made for it go with it, unless others use them by now.
  for (fs::path made = aside_.parent_path(); made != above_ && fs::is_empty(made, error) && !error;
       made = made.parent_path()) {
    fs::remove(made, error);
  }
}

OutputFile& OutputFolder::open(const std::string& name) {
  std::error_code ignored;  // if it cannot be made, the file in it cannot be opened
  fs::create_directories((aside_ / name).parent_path(), ignored);
  auto& file = files_[name];
  file = std::make_unique<OutputFile>(aside_ / name);
  return *file;
}

Result<std::map<std::string, OutputFolder::Entry>> OutputFolder::seal() {
  Problems problems;
  std::map<std::string, Entry> entries;
  for (auto& [name, file] : files_) {
    if (auto failed = file->close()) {
      failed->file = (out_ / name).string();  // where it was to be, not where it is written first
      problems.push_back(*failed);
    }
    entries[name] = Entry{file->sha256(), file->bytes()};
  }
  files_.clear();
  if (!problems.empty()) return problems;
  return entries;
}

std::optional<Problem> OutputFolder::publish() {
  const HeldLock alone(place_of(out_).parent_path(), HeldLock::Wait::yes);
  if (was_free_ && is_taken(place_of(out_))) {
    return problem_with(out_, "another run has put its result there meanwhile, and this one's is thrown away",
                        "give each run a place of its own with --out DIR");
  }
  return put_in_place();
}

std::optional<Problem> OutputFolder::put_in_place() {
  std::error_code error;
  const fs::path place = place_of(out_);
  const bool is_there = fs::is_directory(place, error);
  if (is_there && !fs::is_empty(place, error) && !identify_run(place)) {
    move_into(aside_, place, error);
  } else if (is_there) {
    const fs::path earlier = aside_.string() + std::string(kEarlier);
    fs::rename(place, earlier, error);
    if (!error) fs::rename(aside_, place, error);
    if (!error) carry_over(earlier, place, {}, OwnFiles(earlier), error);
    if (!error) fs::remove_all(earlier, error);
  } else {
    fs::rename(aside_, place, error);
  }
  if (error) return problem_with(out_, "cannot be put in place: " + error.message());
  aside_.clear();
  return std::nullopt;
}

bool point_link(const fs::path& link, const fs::path& folder) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(link, error)) && !fs::is_symlink(fs::symlink_status(link, error)))
    return false;
  const fs::path base = fs::absolute(link).parent_path();
  const fs::path fresh = link.string() + ".part-" + std::to_string(::getpid());
  fs::create_directory_symlink(
      fs::absolute(folder).lexically_normal().lexically_relative(base.lexically_normal()), fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) fs::remove(fresh, error);
  return !error;
}

}  // namespace sim::report
