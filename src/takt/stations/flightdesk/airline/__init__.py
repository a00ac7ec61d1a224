"""An airline whose schedule has broken: its format, rules, costs and plans (ROADEF 2009). It knows no desk."""
