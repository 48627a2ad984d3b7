#pragma once

#include <string>

#include "page/charts.h"

// What pages of every kind have in common: the document around their content, its sections and figures.
namespace sim::page {

struct Frame {
  std::string title;   // of the window; text
  std::string header;  // markup, as the others
  std::string main;
  std::string footer;
};
std::string html_of(const Frame& frame);

// Nothing if there is no content.
std::string section(const char* id, const char* title, const std::string& content);
std::string figure_markup(const Figure& figure);
std::string code(const std::string& text);
// A paragraph in the soft colour; `content` is markup.
std::string soft(const std::string& content);
// PASS, FAIL, INCONCLUSIVE, in the colour of its verdict ("ok", "failed", "inconclusive").
std::string verdict_badge(const std::string& verdict);
std::string verdict_word(const std::string& verdict);
// A figure of the head of a page: a value, and what it is.
std::string card(const std::string& value, const std::string& what);
// Text that can be opened, closed at first.
std::string folded(const std::string& summary, const std::string& content);

}  // namespace sim::page
