// A dashboard of Grafana out of a table of panels.

import {
  GraphDrawStyle,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  VizLegendOptionsBuilder,
  LegendDisplayMode,
  LegendPlacement,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { DashboardTable, Panel, Query } from './panel.ts';

const SOURCE = Object.freeze({ type: 'prometheus', uid: '${datasource}' });
const HEIGHT = 8;
const STAT_HEIGHT = 4;
const FILL = 10;
const STACK_FILL = 40;

export function makeDashboard({ name, title, description, panels }: DashboardTable): Dashboard {
  const dashboard = new DashboardBuilder(`Stevedore / ${title}`)
    .uid(`stevedore-${name}`)
    .description(description)
    .tags(['stevedore', 'velero'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .refresh('1m')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Source').type('prometheus'))
    .withVariable(nodeVariable());
  for (const [index, panel] of panels.entries()) {
    dashboard.withPanel(builderOf(panel).id(index + 1));
  }
  return dashboard.build();
}

function nodeVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('node')
    .label('Node')
    .datasource(SOURCE)
    .query('label_values(stevedore_moves_running, node)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

function builderOf(panel: Panel): LinesBuilder | StatBuilder | TableBuilder {
  switch (panel.kind) {
    case 'lines':
    case 'stack':
      return lines(panel);
    case 'stat':
      return common(new StatBuilder(), panel)
        .height(STAT_HEIGHT)
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    case 'table':
      return table(panel);
  }
}

/** What builders of panels of all types have, each with itself as its answer. */
interface Common {
  title(text: string): unknown;
  description(text: string): unknown;
  datasource(source: typeof SOURCE): unknown;
  unit(unit: string): unknown;
  span(columns: number): unknown;
  height(rows: number): unknown;
  withTarget(query: DataqueryBuilder): unknown;
}

function common<Builder extends Common>(builder: Builder, panel: Panel): Builder {
  const { title, description, unit, width } = panel;
  builder.title(title);
  builder.description(description);
  builder.datasource(SOURCE);
  builder.unit(unit);
  builder.span(width);
  builder.height(HEIGHT);
  for (const [index, query] of panel.queries.entries()) {
    builder.withTarget(target(panel, query, refId(index)));
  }
  return builder;
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

function target({ kind }: Panel, { expr, legend }: Query, ref: string): DataqueryBuilder {
  const query = new DataqueryBuilder().refId(ref).datasource(SOURCE).expr(expr);
  query.legendFormat(legend);
  if (kind === 'table') return query.format(PromQueryFormat.Table).instant();
  return kind === 'stat' ? query.instant() : query.range();
}

function lines(panel: Panel): LinesBuilder {
  const builder = common(new LinesBuilder(), panel)
    .drawStyle(GraphDrawStyle.Line)
    .fillOpacity(panel.kind === 'stack' ? STACK_FILL : FILL)
    .axisSoftMin(0)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    );
  if (panel.kind === 'stack') {
    builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  }
  return builder;
}

/** One row for each set of labels; the columns have the names of the queries. */
function table(panel: Panel): TableBuilder {
  const builder = common(new TableBuilder(), panel)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true } } })
    .sortBy([new TableSortByFieldStateBuilder().displayName(panel.queries[0].legend).desc(false)]);
  for (const [index, { legend, unit = panel.unit }] of panel.queries.entries()) {
    builder.overrideByName(`Value #${refId(index)}`, [
      { id: 'displayName', value: legend },
      { id: 'unit', value: unit },
    ]);
  }
  return builder;
}
