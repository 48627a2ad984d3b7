#include "report/output_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

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

// What of a published folder is kraftsim's own and goes when the result is replaced.
std::set<fs::path> own_files(const fs::path& folder) {
  std::set<fs::path> own{"manifest.json", "host.json", "report.html", "charts"};
  const nlohmann::json manifest = read_manifest(folder);
  if (manifest.is_object() && manifest.contains("files") && manifest["files"].is_object()) {
    for (const auto& [name, entry] : manifest["files"].items()) own.insert(*fs::path(name).begin());
  }
  return own;
}

// Moves what the user keeps in an earlier result to the new one.
void carry_over(const fs::path& earlier, const fs::path& fresh, std::error_code& error) {
  const std::set<fs::path> own = own_files(earlier);
  for (const auto& entry : fs::directory_iterator(earlier, error)) {
    const fs::path name = entry.path().filename();
    if (own.count(name) == 0 && !fs::exists(fresh / name)) fs::rename(entry.path(), fresh / name, error);
    if (error) return;
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
  fs::path nearest = place;  // that is there
  while (!fs::exists(nearest, error) && nearest.has_relative_path()) nearest = nearest.parent_path();
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
  const fs::path aside =
      place.parent_path() / ("." + place.filename().string() + ".part-" + std::to_string(::getpid()));
  fs::create_directories(aside / "hist", error);
  if (error) return problem_with(out, "cannot be created: " + error.message());
  return std::unique_ptr<OutputFolder>(new OutputFolder(out, aside));
}

OutputFolder::~OutputFolder() {
  files_.clear();
  std::error_code error;
  if (!aside_.empty()) fs::remove_all(aside_, error);
}

OutputFile& OutputFolder::open(const std::string& name) {
  auto& file = files_[name];
  file = std::make_unique<OutputFile>(aside_ / name);
  return *file;
}

Result<std::map<std::string, OutputFolder::Entry>> OutputFolder::seal() {
  Problems problems;
  std::map<std::string, Entry> entries;
  for (auto& [name, file] : files_) {
    if (auto failed = file->close()) problems.push_back(*failed);
    entries[name] = Entry{file->sha256(), file->bytes()};
  }
  files_.clear();
  if (!problems.empty()) return problems;
  return entries;
}

std::optional<Problem> OutputFolder::publish() {
  std::error_code error;
  const fs::path place = place_of(out_);
  const bool is_there = fs::is_directory(place, error);
  if (is_there && !fs::is_empty(place, error) && !identify_run(place)) {
    move_into(aside_, place, error);
  } else if (is_there) {
    const fs::path earlier = aside_.string() + ".earlier";
    fs::rename(place, earlier, error);
    if (!error) fs::rename(aside_, place, error);
    if (!error) carry_over(earlier, place, error);
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
