// SPDX-License-Identifier: MIT
#include "ui/run/limitsform.h"

#include "engine/core/units.h"
#include "engine/core/validation.h"
#include "ui/widgets/checkedline.h"

#include <QFormLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// As it would be typed: `30s`, `90000ms`.
QString durationText(std::chrono::milliseconds duration)
{
    const auto count = duration.count();
    if (count % 60'000 == 0)
        return u"%1m"_s.arg(count / 60'000);
    return count % 1000 == 0 ? u"%1s"_s.arg(count / 1000) : u"%1ms"_s.arg(count);
}

} // namespace

template <typename Parse, typename Write, typename Read>
void LimitsForm::addField(
    const char* name, const QString& label, Parse parse, Write write, Read read)
{
    const auto check = [parse](const QString& text) -> Result<> {
        const auto value = parse(text);
        if (!value)
            return std::unexpected(value.error());
        return {};
    };
    auto* line = new CheckedLine(label, check, this);
    line->setObjectName(QLatin1StringView(name));
    m_rows->addRow(label, line);
    m_fields.append({ line, read });
    connect(line, &CheckedLine::accepted, this, [this, parse, write](const QString& text) {
        Q_EMIT edited(
            [value = *parse(text), write](ExecutionOptions& options) { write(options, value); });
    });
}

LimitsForm::LimitsForm(QWidget* parent)
    : QWidget(parent)
    , m_rows(new QFormLayout(this))
{
    m_rows->setContentsMargins(0, 0, 0, 0);
    m_rows->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    const auto size = [](const QString& what) {
        return [what](const QString& text) { return parseSize(text, what); };
    };
    const auto addSize
        = [this, size](const char* name, const QString& label, qint64 ExecutionOptions::* member) {
              addField(
                  name, label, size(label),
                  [member](ExecutionOptions& options, qint64 value) { options.*member = value; },
                  [member](const ExecutionOptions& options) { return sizeText(options.*member); });
          };
    const auto time = tr("Time");
    addField(
        "limitTime", time, [time](const QString& text) { return parseDuration(text, time); },
        [](ExecutionOptions& options, std::chrono::milliseconds value) { options.timeout = value; },
        [](const ExecutionOptions& options) { return durationText(options.timeout); });
    addSize("limitMemory", tr("Memory"), &ExecutionOptions::memoryLimitBytes);
    const auto cores = tr("Processor cores");
    addField(
        "limitCores", cores, [cores](const QString& text) { return parseCpu(text, cores); },
        [](ExecutionOptions& options, double value) { options.cpuLimit = value; },
        [](const ExecutionOptions& options) { return QString::number(options.cpuLimit); });
    const auto processes = tr("Processes");
    addField(
        "limitProcesses", processes,
        [processes](const QString& text) { return parseCount(text, processes, minPids, maxPids); },
        [](ExecutionOptions& options, qint64 value) { options.pidsLimit = int(value); },
        [](const ExecutionOptions& options) { return QString::number(options.pidsLimit); });
    addSize("limitOutput", tr("Output of a stream"), &ExecutionOptions::maxOutputBytes);
    addSize("limitSandbox", tr("Files in /sandbox"), &ExecutionOptions::sandboxSizeBytes);
    addSize("limitTmp", tr("Files in /tmp"), &ExecutionOptions::tmpSizeBytes);
}

void LimitsForm::setValues(const ExecutionOptions& options)
{
    for (const auto& field : m_fields) {
        if (!field.line->hasFocus())
            field.line->setText(field.read(options));
    }
}

} // namespace isol8::ui
